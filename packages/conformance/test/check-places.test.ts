import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkPlaces } from "../src/history/check-places.ts";
import type { CreateOperation, LoggedEvent, Operation } from "../src/history/operation.ts";

type Span = readonly [begunAt: number, endedAt: number | null];

const CREATED = { outcome: "created" } as const;

function create(
  runId: string,
  [begunAt, endedAt]: Span,
  result: CreateOperation["result"] = CREATED,
): CreateOperation {
  return { kind: "create", client: "1", runId, topic: "tea", begunAt, endedAt, result };
}

function end(runId: string, [begunAt, endedAt]: Span): Operation {
  return {
    kind: "append",
    client: "2",
    call: 1,
    runId,
    ids: [`${runId}.end`],
    idempotencyKey: null,
    expectedSequence: null,
    fence: null,
    byOwner: true,
    begunAt,
    endedAt,
    result: {
      outcome: "appended",
      firstSequence: 1,
      lastSequence: 1,
      runStatus: "cancelled",
      phaseId: null,
    },
  };
}

/** The clause that a history of these calls breaks. */
function brokenBy(...operations: readonly Operation[]): string | null {
  const logs = new Map<string, readonly LoggedEvent[]>();
  for (const one of operations) {
    if (one.kind !== "append") continue;
    logs.set(one.runId, [{ id: one.ids[0], runStatus: "cancelled", startsPhase: false }]);
  }
  return checkPlaces({ operations, logs })?.clause ?? null;
}

describe("the places of topics in a history", () => {
  it("S21: two runs of a topic were not live at once", () => {
    expect(brokenBy(create("a", [1, 2]), create("b", [3, 4]))).toBe("S21");
    expect(brokenBy(create("a", [1, 4]), create("b", [2, 3]))).toBe("S21");
    expect(brokenBy(create("a", [1, 2]), create("b", [3, 4]), end("a", [5, 6]))).toBe("S21");
    expect(brokenBy(create("a", [1, 2]), create("b", [3, 6]), end("a", [5, 7]))).toBeNull();
    expect(brokenBy(create("a", [1, 2]), end("a", [3, 4]), create("b", [5, 6]))).toBeNull();
    expect(brokenBy(create("a", [1, 8]), create("b", [2, 3]), end("b", [4, 5]))).toBeNull();
    const other = { ...create("b", [3, 4]), topic: "coffee" };
    expect(brokenBy(create("a", [1, 2]), other)).toBeNull();
  });

  it("S21: a creation is refused only for a run that may have been live meanwhile", () => {
    const busy = (span: Span) => create("b", span, { outcome: "topic_busy", holder: "a" });
    expect(brokenBy(busy([1, 2]))).toBe("S21");
    expect(brokenBy(busy([1, 2]), create("a", [3, 4]))).toBe("S21");
    expect(brokenBy(busy([1, 4]), create("a", [3, 5]))).toBeNull();
    expect(brokenBy(create("a", [1, 2]), end("a", [3, 4]), busy([5, 6]))).toBe("S21");
    expect(brokenBy(create("a", [1, 2]), end("a", [3, 6]), busy([5, 7]))).toBeNull();
    expect(brokenBy(create("a", [1, 2], { outcome: "unknown" }), busy([5, 7]))).toBeNull();
  });

  it("S16, S21: a run is created by one call, and was created before it is met", () => {
    expect(brokenBy(create("a", [1, 2]), create("a", [3, 4]))).toBe("S16");
    for (const outcome of ["existing", "claimed", "finished"] as const) {
      expect(brokenBy(create("a", [1, 2], { outcome }))).toBe("S21");
      expect(brokenBy(create("a", [1, 2]), create("a", [3, 4], { outcome }))).toBeNull();
      expect(
        brokenBy(create("a", [1, null], { outcome: "unknown" }), create("a", [3, 4], { outcome })),
      ).toBeNull();
    }
  });

  it("S21: no history of runs that had their place one after the other breaks anything, however long the calls took", () => {
    const early = fc.nat(30);
    const tenancy = fc.record({ early, late: early, endEarly: early, endLate: early });
    fc.assert(
      fc.property(fc.array(tenancy, { maxLength: 8 }), (tenancies) => {
        const operations = tenancies.flatMap((one, at): Operation[] => {
          const [createdAt, endedAt] = [100 + 20 * at, 110 + 20 * at];
          return [
            create(`r${at}`, [createdAt - one.early, createdAt + one.late]),
            end(`r${at}`, [Math.max(endedAt - one.endEarly, createdAt), endedAt + one.endLate]),
            create("x", [createdAt - one.late, createdAt + 5 + one.early], {
              outcome: "topic_busy",
              holder: `r${at}`,
            }),
          ];
        });
        expect(brokenBy(...operations)).toBeNull();
      }),
    );
  });
});
