import { afterAll, beforeEach, expect, onTestFinished, vi } from "vitest";
import type { Store } from "../../src/store/run-view.ts";

/** The members of a view that these tests need, with payloads of any type. */
interface Shown {
  readonly events: readonly { readonly sequence: number }[];
}

/** A store that is watched until the test's end. */
export interface Watched<Value> {
  readonly store: Store<Value>;
  /** Every snapshot so far: the first one, and one after each call of the listener. */
  readonly seen: readonly Value[];
  leave(): void;
}

/** Subscribes to a store. */
export function watchStore<Value>(store: Store<Value>): Watched<Value> {
  const seen = [store.getSnapshot()];
  const leave = store.subscribe(() => seen.push(store.getSnapshot()));
  onTestFinished(leave);
  return { store, seen, leave };
}

/** Waits until a store has this. */
export async function expectSnapshot<Value>(
  { store }: Pick<Watched<Value>, "store">,
  wanted: Value extends object ? Partial<Value> : Value,
): Promise<void> {
  await vi.waitFor(
    () => {
      const snapshot = store.getSnapshot();
      if (typeof wanted === "object" && wanted !== null) expect(snapshot).toMatchObject(wanted);
      else expect(snapshot).toBe(wanted);
    },
    { timeout: 20_000 },
  );
}

/** The sequences of a view's events, as its first and its last one; `[]` without events. Fails if they have a gap. */
export function rangeOf({ events }: Shown): readonly number[] {
  const first = events[0];
  if (first === undefined) return [];
  expect(events.every(({ sequence }, index) => sequence === first.sequence + index)).toBe(true);
  return [first.sequence, first.sequence + events.length - 1];
}

/** Waits until a store shows the events from one sequence to another. */
export async function expectRange(
  { store }: Pick<Watched<Shown>, "store">,
  ...range: readonly number[]
): Promise<void> {
  await vi.waitFor(() => expect(rangeOf(store.getSnapshot())).toEqual(range), { timeout: 20_000 });
}

/**
 * Makes this process look like a browser, in which each page that reads has a slot. After the file's tests it waits until no slot is held or
 * waited for any longer: the next file shares the process.
 */
export function leaveNothing(): void {
  beforeEach(() => void vi.stubGlobal("location", { href: "http://127.0.0.1/" }));
  afterAll(async () => {
    vi.unstubAllGlobals();
    await vi.waitFor(
      async () => {
        const { held = [], pending = [] } = await navigator.locks.query();
        expect([...held, ...pending]).toEqual([]);
      },
      { timeout: 20_000 },
    );
  });
}
