import {
  type ConformanceCase,
  type ConformanceOptions,
  runEventStoreConformance,
  type StoreDoors,
} from "@tm/run-events-conformance";
import { RunEventsError } from "@tm/run-events-core";
import type { NewEvent, RunEventStore } from "@tm/run-events-core/store";
import { failures } from "../src/cases/failures.ts";
import { wrapInner } from "../src/wrap-store.ts";

/** The texts that a call was to write. */
export interface Unwritten {
  readonly metadata: readonly string[];
  readonly payloads: readonly string[];
  readonly phases: readonly string[];
}

/** Makes the failure of a call that shows something of what was to be written. */
export type Leak = (failure: RunEventsError, unwritten: Unwritten) => Error;

/** All texts of a call. */
export function textsOf({ metadata, payloads, phases }: Unwritten): readonly string[] {
  return [...metadata, ...payloads, ...phases];
}

/** The failure with another cause. */
export function causedBy(failure: RunEventsError, cause: unknown): RunEventsError {
  const { code, message, details, retryable, ambiguous } = failure;
  return new RunEventsError(code, message, { cause, details, retryable, ambiguous });
}

/** As a driver whose errors have the values of their statements, in a store that passes them on. */
export const leakValues: Leak = (failure, unwritten) => leakTexts(failure, textsOf(unwritten));

/** The failure with these texts in its cause, if there are any. */
export function leakTexts(failure: RunEventsError, values: readonly string[]): RunEventsError {
  if (values.length === 0) return failure;
  return causedBy(failure, Object.assign(new Error("The statement failed."), { values }));
}

/** The same store with failures that leak. */
function leakingStore(store: RunEventStore, leak: Leak): RunEventStore {
  async function leaky<Answer>(call: Promise<Answer>, texts: () => Unwritten): Promise<Answer> {
    try {
      return await call;
    } catch (error) {
      throw error instanceof RunEventsError ? leak(error, texts()) : error;
    }
  }
  return wrapInner(store, {
    append: (plains) =>
      leaky(store.append(plains), () => unwrittenOf(plains.flatMap(({ events }) => events))),
    async change(changes) {
      const events: NewEvent[] = [];
      const metadata: string[] = [];
      const changing = store.change(
        changes.map((change) => ({
          ...change,
          decide(seen) {
            const decision = change.decide(seen);
            events.push(...(decision.events ?? []));
            if (seen.head === null) metadata.push(decision.after?.metadata ?? "");
            return decision;
          },
        })),
      );
      return leaky(changing, () => unwrittenOf(events, metadata));
    },
  });
}

function unwrittenOf(events: readonly NewEvent[], metadata: readonly string[] = []): Unwritten {
  return {
    metadata,
    payloads: events.map(({ payload }) => payload),
    phases: events.flatMap(({ phase }) => (phase === null ? [] : [phase])),
  };
}

/** The doors of stores, with failures that leak. */
export function leakingDoors<Place>(doors: StoreDoors<Place>, leak: Leak): StoreDoors<Place> {
  const inner = new WeakMap<RunEventStore, RunEventStore>();
  const { refuseWrites } = doors;
  return {
    ...doors,
    async open(place) {
      const store = await doors.open(place);
      const leaking = leakingStore(store, leak);
      inner.set(leaking, store);
      return leaking;
    },
    ...(refuseWrites && {
      refuseWrites: (place, store) => refuseWrites(place, inner.get(store) ?? store),
    }),
  };
}

/** The kit's cases of what a failure shows, on stores whose failures leak: each has to fail. */
export function casesOnLeaks<Place>(
  options: ConformanceOptions<Place>,
): readonly ConformanceCase[] {
  const names = new Set(failures.map(({ name }) => name));
  const cases = runEventStoreConformance({ ...options, ...leakingDoors(options, leakValues) });
  return cases.filter(({ name }) => names.has(name));
}

/** The failure of such a case. */
export const LEAK_FOUND: RegExp =
  /S20 .*\nExpected that the failure of .* holds nothing of what was to be/;
