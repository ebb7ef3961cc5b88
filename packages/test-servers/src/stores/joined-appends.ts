import type { RunEventStore } from "@tm/run-events-core/store";
import { kitStore } from "../../../conformance/src/kit-store.ts";
import { appendOf, claimed, claimOf, createOf, endOf } from "./requests.ts";

/** An append in the caller's transaction: the part that is the same for every store. */
export interface JoinedLine {
  readonly runId: string;
  readonly events: readonly { readonly eventType: string; readonly payload?: unknown }[];
  readonly ownerId: string;
  readonly idempotencyKey?: string;
  readonly expectedSequence?: number;
  readonly fence?: number;
}

/** An append of one event to Ada's run `a`. */
export function lineOf(value: unknown, more: Partial<JoinedLine> = {}): JoinedLine {
  const events = [{ eventType: "LOG_LINE", payload: value }];
  return { ownerId: "ada", runId: "a", events, ...more };
}

/** Appends that are refused, each with the members of its error, and an append after them that is not refused. */
export interface RefusedLines {
  readonly refusals: readonly (readonly [line: JoinedLine, error: object])[];
  /** The fence under which the run `claimed` may be written. */
  readonly fence: number;
}

/** Makes the runs `done` and `claimed` besides `a`, which gets one event with the key `k`. */
export async function makeRefusedLines(inner: RunEventStore): Promise<RefusedLines> {
  const store = kitStore(inner);
  await store.createRun(createOf("done"));
  await store.createRun(createOf("claimed"));
  const { fence } = await claimed(store, claimOf("claimed"));
  await store.append([endOf("done"), appendOf("a", 1, { idempotencyKey: "k" })]);
  const finished = {
    code: "run_finished",
    details: { runStatus: "completed", lastSequence: 1 },
  };
  const conflict = { code: "sequence_conflict", details: { lastSequence: 1 } };
  return {
    fence,
    refusals: [
      [lineOf(1, { runId: "nowhere" }), { code: "not_found" }],
      [lineOf(1, { ownerId: "bob" }), { code: "not_found" }],
      [lineOf(1, { runId: "done" }), finished],
      [lineOf(1, { runId: "claimed" }), { code: "fenced" }],
      [lineOf(1, { runId: "claimed", fence: fence + 1 }), { code: "fenced" }],
      [lineOf(1, { runId: "claimed", fence: 0 }), { code: "invalid_request" }],
      [lineOf(1, { expectedSequence: 0 }), conflict],
      [lineOf(2, { idempotencyKey: "k" }), { code: "idempotency_key_reused" }],
      [lineOf(1, { idempotencyKey: "ü" }), { code: "invalid_request" }],
      [lineOf(1, { events: [] }), { code: "invalid_request" }],
      [lineOf(1, { events: [{ eventType: "bad" }] }), { code: "invalid_event" }],
    ],
  };
}
