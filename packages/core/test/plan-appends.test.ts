import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AppendOutcome, AppendRequest, Appender } from "../src/rules/append.ts";
import type { StoredEvent } from "../src/rules/event.ts";
import { advanceRun, judgeAppend, type KeptReceipt } from "../src/rules/judge-append.ts";
import { planAppends } from "../src/rules/plan-appends.ts";
import type { RunRecord } from "../src/rules/run.ts";
import { appendRequest, newEvent, runRecord } from "./run-record.ts";

const NOW = 5_000;
const RUN_IDS = ["a", "b", "gone"] as const;
const KEYS = [null, "k", "l"] as const;

/** A log that one append after another makes: a plan for all of them has to equal it. */
class Model {
  readonly heads: Map<string, RunRecord>;
  readonly events: (StoredEvent & { readonly ordinal: number })[] = [];
  readonly receipts = new Map<string, KeptReceipt>();

  constructor(heads: readonly RunRecord[]) {
    this.heads = new Map(heads.map((head) => [head.runId, head]));
  }

  append(request: AppendRequest): AppendOutcome {
    const head = this.heads.get(request.runId) ?? null;
    const name = `${head?.ordinal} ${request.idempotencyKey}`;
    const refusal = judgeAppend(head, this.receipts.get(name) ?? null, request, NOW);
    if (refusal !== null || head === null) return refusal ?? { outcome: "not_found" };
    const { run, landing } = advanceRun(head, request, NOW);
    this.heads.set(request.runId, run);
    request.events.forEach(({ eventType, payload }, at) => {
      const sequence = landing.firstSequence + at;
      const stored = { sequence, eventType, payload, createdAtMs: run.updatedAtMs };
      this.events.push({ ...stored, ordinal: run.ordinal });
    });
    if (request.idempotencyKey !== null) {
      this.receipts.set(name, { ...landing, events: request.events });
    }
    return { outcome: "appended", ...landing };
  }
}

const arbitraryAppender = fc.constantFrom<Appender>(
  { by: "anybody" },
  { by: "owner" },
  { by: "input" },
  { by: "input" },
  { by: "worker", fence: 1 },
  { by: "worker", fence: 2 },
  { by: "reaper", graceMs: 0 },
);

const arbitraryEvent = fc.constantFrom(
  newEvent("TOKEN", "1"),
  newEvent("TOKEN", "2"),
  newEvent("INPUT_REQUESTED"),
  newEvent("PHASE_STARTED", '{"phase":"plan"}'),
);

const arbitraryRequest = fc
  .record({
    runId: fc.constantFrom(...RUN_IDS),
    events: fc.array(arbitraryEvent, { minLength: 1, maxLength: 3 }),
    ends: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
    idempotencyKey: fc.constantFrom(...KEYS),
    expectedSequence: fc.option(fc.nat({ max: 4 })),
    ownerId: fc.constantFrom(null, "ada", "bob"),
    appender: arbitraryAppender,
  })
  .map(({ events, ends, ...part }) => {
    // An input is alone.
    if (part.appender.by === "input") return appendRequest([newEvent("INPUT_RECEIVED")], part);
    return appendRequest(ends ? [...events, newEvent("RUN_COMPLETED")] : events, part);
  });

const arbitraryHeads = fc.record({
  lease: fc.constantFrom(null, NOW - 10, NOW + 10),
  updatedAtMs: fc.constantFrom(NOW - 10, NOW + 10),
});

function headsOf({ lease, updatedAtMs }: { lease: number | null; updatedAtMs: number }) {
  return ["a", "b"].map((runId, at) =>
    runRecord({
      runId,
      ordinal: at + 1,
      updatedAtMs,
      fence: lease === null ? 0 : 1,
      leaseExpiresAtMs: at === 0 ? lease : null,
    }),
  );
}

describe("planAppends", () => {
  it("S2, S5: a call of many requests does the same as one request after another, keys within the call included", () => {
    fc.assert(
      fc.property(
        arbitraryHeads,
        fc.array(arbitraryRequest, { maxLength: 12 }),
        fc.array(arbitraryRequest, { maxLength: 12 }),
        (start, before, requests) => {
          // The results of earlier calls: heads, and keys with their events.
          const earlier = new Model(headsOf(start));
          before.forEach((request) => earlier.append(request));
          const heads = [...earlier.heads.values()];
          const kept = new Map(earlier.receipts);
          const landed = earlier.events.length;
          const plan = planAppends(
            heads,
            ({ ordinal }, key) => kept.get(`${ordinal} ${key}`) ?? null,
            requests,
            NOW,
          );
          expect(plan.outcomes).toStrictEqual(requests.map((request) => earlier.append(request)));
          expect(plan.events).toStrictEqual(earlier.events.slice(landed));
          const after = new Map(plan.moved.map((head) => [head.after.runId, head]));
          for (const head of heads) {
            expect(after.get(head.runId)?.after ?? head).toStrictEqual(
              earlier.heads.get(head.runId),
            );
            expect(after.get(head.runId)?.before ?? head).toBe(head);
          }
          const fresh = [...earlier.receipts].filter(([name]) => !kept.has(name));
          expect(plan.receipts).toStrictEqual(
            fresh.map(([name, { events: _events, ...kept }]) => {
              const [ordinal, idempotencyKey = ""] = name.split(" ");
              return { ordinal: Number(ordinal), idempotencyKey, ...kept };
            }),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it("S5: a receipt is looked up for requests with a key, on runs that exist", () => {
    const asked: string[] = [];
    const requests = RUN_IDS.flatMap((runId) =>
      KEYS.map((idempotencyKey) => appendRequest([newEvent("TOKEN")], { runId, idempotencyKey })),
    );
    planAppends(
      headsOf({ lease: null, updatedAtMs: NOW }),
      (run, key) => {
        asked.push(`${run.runId} ${key}`);
        return null;
      },
      [...requests, ...requests],
      NOW,
    );
    // The second of each is the call's own.
    expect(asked).toEqual(["a k", "a l", "b k", "b l"]);
  });

  it("S1: a call without requests changes nothing", () => {
    const plan = planAppends(headsOf({ lease: null, updatedAtMs: NOW }), () => null, [], NOW);
    expect(plan).toStrictEqual({ outcomes: [], events: [], receipts: [], moved: [] });
  });
});
