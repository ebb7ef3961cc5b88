import type { NewEvent } from "@tm/run-events-core/store";
import fc from "fast-check";
import { event } from "../append-request.ts";
import type { AppendInput } from "./commands.ts";

/** Mostly one, so that calls may do what they ask for. */
export const owners: fc.Arbitrary<string> = fc.constantFrom(
  "ada",
  "ada",
  "ada",
  "ada",
  "ada",
  "ada",
  "ada",
  "bob",
);
const batches: fc.Arbitrary<readonly NewEvent[]> = fc.constantFrom(
  [event("RUN_STARTED")],
  [event("TOKEN", "1.0")],
  [event("TOKEN", '"é\u{1f600}"'), event("TOKEN", "2"), event("TOKEN", "[]")],
  [event("PHASE_STARTED", '{"phase":"plan"}')],
  [event("TOKEN"), event("PHASE_STARTED", '{"phase":"\\u0000"}'), event("TOKEN")],
  [event("PHASE_STARTED", '{"phase":"a"}'), event("PHASE_STARTED", '{"phase":"b"}')],
  [event("TOKEN"), event("RUN_COMPLETED")],
  [event("RUN_CANCELLED")],
  [event("INPUT_REQUESTED", '"?"')],
  [event("TOKEN", ' {"a" : 1e400, "a":-0.0}'), event("TOKEN", '"\\ud800\u2028"')],
  [event("TOKEN", `"${"é".repeat(66_000)}"`)],
  [event("TOKEN"), event("INPUT_REQUESTED"), event("PHASE_STARTED", '{"phase":"c"}')],
  Array.from({ length: 9 }, (_, at) =>
    event(at === 4 ? "PHASE_STARTED" : "TOKEN", `{"phase":"${at}"}`),
  ),
);

const conditions = {
  ownerId: owners,
  expected: fc.oneof(
    { weight: 4, arbitrary: fc.constant(null) },
    { weight: 2, arbitrary: fc.constant("head" as const) },
    { weight: 1, arbitrary: fc.nat(6) },
  ),
};
/** Appends that may land are frequent: nothing happens to a run that refuses all. */
const by = fc.oneof(
  { weight: 6, arbitrary: fc.constant("anybody" as const) },
  { weight: 4, arbitrary: fc.constant("worker" as const) },
  { weight: 2, arbitrary: fc.constantFrom("late" as const, "late" as const, "owner" as const) },
);
const key = fc.option(fc.constantFrom("k", "l"), { nil: null, freq: 2 });
/** Batches that a store may take for the same under a key. */
const likeBatches: fc.Arbitrary<readonly NewEvent[]> = fc.constantFrom(
  // Mostly the same, which is a replay.
  ...Array.from({ length: 6 }, () => [event("TOKEN", "0"), event("TOKEN", "1")]),
  [event("TOKEN", "0"), event("TOKEN", "1"), event("TOKEN", "2")],
  [event("TOKEN", "0"), event("TOKEN", "3"), event("TOKEN", "2")],
  [event("TOKEN", "0"), event("OTHER", "1")],
  [event("TOKEN0TOKEN", "1")],
  [event("TOKEN", `"${"x".repeat(5_000)}"`)],
  [event("TOKEN", `"${"x".repeat(4_999)}y"`)],
);
const retried = { batch: likeBatches, key: fc.constantFrom("k", "k", "k", "l", null) };

/** Only an input has this event, and it has no other. */
const input = {
  batch: fc.constantFrom([event("INPUT_RECEIVED", "1")], [event("INPUT_RECEIVED", '"yes"')]),
  by: fc.constant("input" as const),
};

/** Inputs that end a run, of which the program need not know anything. */
export const endInputs: fc.Arbitrary<Omit<AppendInput, "runId">> = fc.record({
  ownerId: owners,
  expected: fc.constant(null),
  batch: fc.constantFrom([event("RUN_CANCELLED")], [event("TOKEN"), event("RUN_COMPLETED")]),
  key: fc.constant(null),
  by: fc.constantFrom<AppendInput["by"][]>("owner", "owner", "worker"),
});

/** Any request but for its run. */
export const appendInputs: fc.Arbitrary<Omit<AppendInput, "runId">> = fc.oneof(
  fc.record({ ...conditions, ...input, key }),
  fc.record({ ...conditions, batch: batches, key, by }),
  // The same events again and again, so that keys come again with their own.
  fc.record({ ...conditions, ...retried, by }),
);
