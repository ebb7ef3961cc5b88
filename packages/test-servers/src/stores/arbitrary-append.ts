import type { NewEvent } from "@tm/run-events-core/store";
import fc from "fast-check";
import type { AppendRequest, Appender } from "../../../core/src/rules/append.ts";

/** A fence as of a run's first claims. */
export const arbitraryFence: fc.Arbitrary<number> = fc.integer({ min: 1, max: 3 });

function arbitraryAppender(): fc.Arbitrary<Appender> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant({ by: "anybody" as const }) },
    { weight: 3, arbitrary: arbitraryFence.map((fence) => ({ by: "worker" as const, fence })) },
    { weight: 1, arbitrary: fc.constant({ by: "owner" as const }) },
    { weight: 2, arbitrary: fc.constant({ by: "input" as const }) },
  );
}

/**
 * Requests that often meet: few runs, keys, owners, fences and sequences.
 */
export function arbitraryAppend(
  runIds: readonly string[],
  keys: readonly string[] = ["k1", "k2", "k3"],
): fc.Arbitrary<AppendRequest> {
  return fc
    .record({
      runId: fc.constantFrom(...runIds),
      ownerId: fc.constantFrom("ada", "ada", "ada", "bob"),
      events: fc.array(
        fc.record({
          eventType: fc.constantFrom("LOG_LINE", "PHASE_STARTED", "LOG_LINE", "INPUT_REQUESTED"),
          payload: fc.constantFrom("1", '"ü"'),
          phase: fc.constantFrom(null, null, '"draft"', '"review"'),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      ends: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
      idempotencyKey: fc.constantFrom(null, null, ...keys),
      expectedSequence: fc.constantFrom(null, null, null, 0, 1, 2, 3),
      appender: arbitraryAppender(),
    })
    .map(({ ends, ...request }) => ({ ...request, events: eventsOf(request, ends) }));
}

/** An input is alone, and only the last event of others ends the run. */
function eventsOf(
  { appender, events }: Pick<AppendRequest, "appender" | "events">,
  ends: boolean,
): readonly NewEvent[] {
  const [first] = events;
  if (appender.by === "input" && first !== undefined)
    return [{ ...first, eventType: "INPUT_RECEIVED", phase: null }];
  return ends ? [...events, { eventType: "RUN_FAILED", payload: "null", phase: null }] : events;
}
