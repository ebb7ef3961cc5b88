import { describe, expect, it } from "vitest";
import type { RunStatus } from "../src/event.ts";
import { judgeAppend, type KeptReceipt } from "../src/judge-append.ts";
import type { AppendOutcome } from "../src/store.ts";
import { appendRequest, newEvent, runRecord } from "./run-record.ts";

const STATUSES: readonly RunStatus[] = ["queued", "running", "completed", "failed", "cancelled"];
const EVENTS = [newEvent("TOKEN", "1"), newEvent("RUN_COMPLETED", "1.0")];
const SAME: KeptReceipt = { firstSequence: 2, lastSequence: 3, phase: '"plan"', events: EVENTS };
const OTHERS: readonly KeptReceipt["events"][] = [
  EVENTS.slice(0, 1),
  [...EVENTS, newEvent("TOKEN")],
  EVENTS.toReversed(),
  [newEvent("TOKEN", "1"), newEvent("RUN_COMPLETED", "1")],
  [newEvent("TOKEN", "1"), newEvent("RUN_FAILED", "1.0")],
];

interface Situation {
  readonly exists: boolean;
  readonly asked: "nobody" | "owner" | "stranger";
  readonly key: "none" | "same" | "other";
  readonly runStatus: RunStatus;
  readonly expected: "any" | "right" | "wrong";
}

/** The clause as a table: the first row that fits speaks. */
function outcomeOf({
  exists,
  asked,
  key,
  runStatus,
  expected,
}: Situation): AppendOutcome["outcome"] {
  if (!exists || asked === "stranger") return "not_found";
  if (key === "same") return "replayed";
  if (key === "other") return "idempotency_key_reused";
  if (runStatus !== "queued" && runStatus !== "running") return "finished";
  return expected === "wrong" ? "sequence_conflict" : "appended";
}

const situations: readonly Situation[] = [true, false].flatMap((exists) =>
  (["nobody", "owner", "stranger"] as const).flatMap((asked) =>
    (["none", "same", "other"] as const).flatMap((key) =>
      STATUSES.flatMap((runStatus) =>
        (["any", "right", "wrong"] as const).map((expected) => ({
          exists,
          asked,
          key,
          runStatus,
          expected,
        })),
      ),
    ),
  ),
);

function judge(situation: Situation, other: KeptReceipt["events"] = []): AppendOutcome | null {
  const { exists, asked, key, runStatus, expected } = situation;
  const receipt = key === "same" ? SAME : { ...SAME, events: other };
  return judgeAppend(
    exists ? runRecord({ runStatus, lastSequence: 7 }) : null,
    key === "none" ? null : receipt,
    appendRequest(EVENTS, {
      ownerId: { nobody: null, owner: "ada", stranger: "eve" }[asked],
      expectedSequence: { any: null, right: 7, wrong: 8 }[expected],
    }),
  );
}

describe("judgeAppend", () => {
  it("S5: judges every situation in the order of the clause", () => {
    expect(situations).toHaveLength(2 * 3 * 3 * 5 * 3);
    for (const situation of situations) {
      const outcome = judge(situation)?.outcome ?? "appended";
      expect({ ...situation, outcome }).toStrictEqual({
        ...situation,
        outcome: outcomeOf(situation),
      });
    }
  });

  it("W10: a replay is the original receipt, also on a run that has finished since", () => {
    const situation: Situation = {
      exists: true,
      asked: "owner",
      key: "same",
      runStatus: "completed",
      expected: "wrong",
    };
    expect(judge(situation)).toStrictEqual({
      outcome: "replayed",
      firstSequence: 2,
      lastSequence: 3,
      phase: '"plan"',
      runStatus: "completed",
    });
  });

  it.each(OTHERS.map((events) => [events]))(
    "W10: events that differ in number, order, type or payload text reuse the key: %j",
    (events) => {
      const situation: Situation = {
        exists: true,
        asked: "nobody",
        key: "other",
        runStatus: "running",
        expected: "any",
      };
      expect(judge(situation, events)).toStrictEqual({ outcome: "idempotency_key_reused" });
    },
  );

  it("W7, W11: a refusal says where the run stands", () => {
    const base = { exists: true, asked: "nobody", key: "none", expected: "wrong" } as const;
    expect(judge({ ...base, runStatus: "failed" })).toStrictEqual({
      outcome: "finished",
      runStatus: "failed",
      lastSequence: 7,
    });
    expect(judge({ ...base, runStatus: "running" })).toStrictEqual({
      outcome: "sequence_conflict",
      lastSequence: 7,
    });
  });

  it("W11: an expected sequence of 0 is the run without events", () => {
    const request = appendRequest(EVENTS, { expectedSequence: 0 });
    expect(judgeAppend(runRecord(), null, request)).toBeNull();
    expect(judgeAppend(runRecord({ lastSequence: 1 }), null, request)).not.toBeNull();
  });
});
