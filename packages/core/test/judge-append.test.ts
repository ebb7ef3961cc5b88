import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Appender, AppendOutcome } from "../src/rules/append.ts";
import type { RunStatus } from "../src/rules/event.ts";
import { STATUSES } from "../src/rules/listed.ts";
import { judgeAppend, type KeptReceipt } from "../src/rules/judge-append.ts";
import type { Lease } from "../src/rules/lease.ts";
import { appendRequest, newEvent, runRecord } from "./run-record.ts";

const EVENTS = [newEvent("TOKEN", "1"), newEvent("RUN_COMPLETED", "1.0")];
const SAME: KeptReceipt = {
  firstSequence: 2,
  lastSequence: 3,
  phase: '"plan"',
  runStatus: "completed",
  events: EVENTS,
};
const OTHERS: readonly KeptReceipt["events"][] = [
  EVENTS.slice(0, 1),
  [...EVENTS, newEvent("TOKEN")],
  EVENTS.toReversed(),
  [newEvent("TOKEN", "1"), newEvent("RUN_COMPLETED", "1")],
  [newEvent("TOKEN", "1"), newEvent("RUN_FAILED", "1.0")],
];

const LEASES = {
  none: { fence: 4, leaseExpiresAtMs: null, worker: null },
  held: { fence: 4, leaseExpiresAtMs: 10_000, worker: "w-1" },
} as const satisfies Readonly<Record<string, Lease>>;

const APPENDERS = {
  anybody: { by: "anybody" },
  worker: { by: "worker", fence: 4 },
  "worker before": { by: "worker", fence: 3 },
  "worker of another run": { by: "worker", fence: 5 },
  owner: { by: "owner" },
  input: { by: "input" },
} as const satisfies Readonly<Record<string, Appender>>;

type LeaseName = keyof typeof LEASES;
type AppenderName = keyof typeof APPENDERS;
const LEASE_NAMES = Object.keys(LEASES) as readonly LeaseName[];
const APPENDER_NAMES = Object.keys(APPENDERS) as readonly AppenderName[];

/** On which leases each one may append. */
const MAY_APPEND: Readonly<Record<AppenderName, readonly LeaseName[]>> = {
  anybody: ["none"],
  worker: ["held"],
  "worker before": [],
  "worker of another run": [],
  owner: LEASE_NAMES,
  input: LEASE_NAMES,
};

interface Situation {
  readonly exists: boolean;
  readonly key: "none" | "same" | "other";
  readonly runStatus: RunStatus;
  readonly lease: LeaseName;
  readonly appender: AppenderName;
  readonly expected: "any" | "right" | "wrong";
}

const EASY = {
  exists: true,
  key: "none",
  lease: "none",
  appender: "anybody",
  expected: "any",
} as const;

/** The clause as a table: the first row that fits decides. */
function outcomeOf({
  exists,
  key,
  runStatus,
  lease,
  appender,
  expected,
}: Situation): AppendOutcome | null {
  const lastSequence = 7;
  if (!exists) return { outcome: "not_found" };
  if (key === "same") {
    const { events: _, ...landing } = SAME;
    return { outcome: "replayed", ...landing };
  }
  if (key === "other") return { outcome: "idempotency_key_reused" };
  if (runStatus === "completed" || runStatus === "failed" || runStatus === "cancelled") {
    return { outcome: "finished", runStatus, lastSequence };
  }
  if (!MAY_APPEND[appender].includes(lease)) return { outcome: "fenced" };
  return expected === "wrong" ? { outcome: "sequence_conflict", lastSequence } : null;
}

const situations: readonly Situation[] = [true, false].flatMap((exists) =>
  (["none", "same", "other"] as const).flatMap((key) =>
    STATUSES.flatMap((runStatus) =>
      LEASE_NAMES.flatMap((lease) =>
        APPENDER_NAMES.flatMap((appender) =>
          (["any", "right", "wrong"] as const).map((expected) => {
            return { exists, key, runStatus, lease, appender, expected };
          }),
        ),
      ),
    ),
  ),
);

function judge(situation: Situation, other: KeptReceipt["events"] = []): AppendOutcome | null {
  const { exists, key, runStatus, lease, appender, expected } = situation;
  const receipt = key === "same" ? SAME : { ...SAME, events: other };
  return judgeAppend(
    exists ? runRecord({ ...LEASES[lease], runStatus, lastSequence: 7 }) : null,
    key === "none" ? null : receipt,
    appendRequest(EVENTS, {
      expectedSequence: { any: null, right: 7, wrong: 8 }[expected],
      appender: APPENDERS[appender],
    }),
  );
}

describe("judgeAppend", () => {
  it("W10, W11, W32: judgeAppend judges every situation in the order of the clause", () => {
    expect(situations).toHaveLength(2 * 3 * 6 * 2 * 6 * 3);
    for (const situation of situations) {
      const outcome = judge(situation);
      expect({ ...situation, outcome }).toStrictEqual({
        ...situation,
        outcome: outcomeOf(situation),
      });
    }
  });

  it.each(OTHERS.map((events) => [events]))(
    "W10: events that differ in number, order, type or payload text reuse the key: %j",
    (events) => {
      const situation: Situation = { ...EASY, key: "other", runStatus: "running" };
      expect(judge(situation, events)).toStrictEqual({ outcome: "idempotency_key_reused" });
    },
  );

  it("S1: no append passes the last safe integer, which a run keeps for its end", () => {
    const last = Number.MAX_SAFE_INTEGER;
    const free = fc.integer({ min: 1, max: 9 });
    const law = fc.property(free, free, fc.boolean(), (room, count, ends) => {
      const run = runRecord({ runStatus: "running", lastSequence: last - room });
      const events = Array.from({ length: count }, () => newEvent("TOKEN"));
      if (ends) events[count - 1] = newEvent("RUN_COMPLETED");
      const request = appendRequest(events, { expectedSequence: last - room });
      const isTaken = judgeAppend(run, null, request) === null;
      expect(isTaken).toBe(ends ? count <= room : count < room);
    });
    fc.assert(law);
  });
});
