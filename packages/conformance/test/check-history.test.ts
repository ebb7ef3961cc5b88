import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkHistory } from "../src/history/check-history.ts";
import type { History, LoggedEvent, Operation, ReadOperation } from "../src/history/operation.ts";
import { searchOrder } from "./search-order.ts";
import { historyArbitrary, loggedEvent } from "./simulated-history.ts";

/** One thing about a history that may not be so. */
type Lie = (history: History, pick: number, by: number) => History;

function changeOne(change: (operation: Operation, by: number) => Operation): Lie {
  return ({ operations, logs }, pick, by) => ({
    logs,
    operations: operations.map((one, index) =>
      index === pick % operations.length ? change(one, by) : one,
    ),
  });
}

/** Changes all requests of one call: they have one beginning and one end. */
function changeCall(change: (operation: Operation, by: number) => Operation): Lie {
  return ({ operations, logs }, pick, by) => {
    const client = operations[pick % operations.length]?.client;
    return {
      logs,
      operations: operations.map((one) => (one.client === client ? change(one, by) : one)),
    };
  };
}

/** Two requests of one call, one after the other; requests of other clients may come between. */
function neighboursIn(operations: readonly Operation[]): readonly (readonly [number, number])[] {
  return operations.flatMap((one, at) => {
    const next = operations.findIndex(({ client }, index) => index > at && client === one.client);
    return next === -1 ? [] : [[at, next] as const];
  });
}

function changeReceipt(
  one: Operation,
  head: Partial<Pick<ReadOperation, "runStatus" | "phaseId">>,
): Operation {
  return one.kind === "append" && "firstSequence" in one.result
    ? { ...one, result: { ...one.result, ...head } }
    : one;
}

function changeLog(
  change: (log: readonly LoggedEvent[], pick: number) => readonly LoggedEvent[],
): Lie {
  return ({ operations, logs }, pick) => ({
    operations,
    logs: new Map([["run", change(logs.get("run") ?? [], pick)]]),
  });
}

const LIES: Readonly<Record<string, Lie>> = {
  none: (history) => history,
  "another head": changeOne((one, by) => {
    if (one.kind === "read") return { ...one, lastSequence: Math.max(0, one.lastSequence + by) };
    if (one.kind !== "append") return one;
    const { result } = one;
    return "lastSequence" in result
      ? { ...one, result: { ...result, lastSequence: Math.max(0, result.lastSequence + by) } }
      : one;
  }),
  "another range": changeOne((one, by) =>
    one.kind === "append" && "firstSequence" in one.result
      ? {
          ...one,
          result: {
            ...one.result,
            firstSequence: one.result.firstSequence + by,
            lastSequence: one.result.lastSequence + by,
          },
        }
      : one,
  ),
  "begun later": changeCall((one, by) => ({
    ...one,
    begunAt: Math.min(one.begunAt + Math.abs(by) * 3, (one.endedAt ?? Infinity) - 0.0001),
  })),
  "ended earlier": changeCall((one, by) => ({
    ...one,
    endedAt: one.endedAt === null ? null : Math.max(one.begunAt, one.endedAt - Math.abs(by) * 3),
  })),
  "appended, not replayed": changeOne((one) =>
    one.kind === "append" && one.result.outcome === "replayed"
      ? { ...one, result: { ...one.result, outcome: "appended" } }
      : one,
  ),
  "not landed": changeOne((one) =>
    one.kind === "append" ? { ...one, result: { outcome: "failed" } } : one,
  ),
  "key reused": changeOne((one) =>
    one.kind === "append" ? { ...one, result: { outcome: "idempotency_key_reused" } } : one,
  ),
  "a conflict, not replayed": changeOne((one) =>
    one.kind === "append" && one.result.outcome === "replayed"
      ? {
          ...one,
          expectedSequence: 9,
          result: { outcome: "sequence_conflict", lastSequence: one.result.lastSequence },
        }
      : one,
  ),
  "a lost batch that has landed": ({ operations, logs }) => {
    const lost = operations.find(
      (one) => one.kind === "append" && one.result.outcome === "unknown",
    );
    const more = lost?.kind === "append" ? lost.ids.map((id) => loggedEvent(id)) : [];
    return { operations, logs: new Map([["run", [...(logs.get("run") ?? []), ...more]]]) };
  },
  "another status": changeOne((one) =>
    one.kind === "read" ? { ...one, runStatus: "running" } : one,
  ),
  "a receipt with another status": changeOne((one, by) =>
    changeReceipt(one, { runStatus: by > 0 ? "running" : "completed" }),
  ),
  "a receipt with another phase": changeOne((one, by) =>
    changeReceipt(one, { phaseId: by > 0 ? null : "0.0.3" }),
  ),
  "two requests of a call the other way round": ({ operations, logs }, pick) => {
    const neighbours = neighboursIn(operations);
    const [at, next] = neighbours[pick % neighbours.length] ?? [0, 0];
    const [one, other] = [operations[at], operations[next]];
    return one === undefined || other === undefined
      ? { operations, logs }
      : { operations: operations.with(at, other).with(next, one), logs };
  },
  "an event less": changeLog((log, pick) => log.filter((_, at) => at !== pick % log.length)),
  "an event twice": changeLog((log, pick) =>
    log.flatMap((one, at) => (at === pick % log.length ? [one, one] : [one])),
  ),
  "two events the other way round": changeLog((log, pick) => {
    const at = pick % log.length;
    const [one, next] = [log[at], log[at + 1]];
    return one === undefined || next === undefined ? log : log.with(at, next).with(at + 1, one);
  }),
};

describe("checkHistory", () => {
  it("finds nothing in a history that can have happened", () => {
    fc.assert(
      fc.property(historyArbitrary(60), (history) => {
        expect(checkHistory(history)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it.each(Object.entries(LIES))(
    "finds something in a history with %s exactly if no order explains it",
    (name, lie) => {
      let found = 0;
      fc.assert(
        fc.property(historyArbitrary(6), fc.nat(9), fc.constantFrom(-1, 1), (history, pick, by) => {
          const changed = lie(history, pick, by);
          const isExplained = searchOrder(changed);
          if (!isExplained) found += 1;
          expect(checkHistory(changed) === null).toBe(isExplained);
        }),
        { numRuns: 1_000 },
      );
      if (name !== "none") expect(found).toBeGreaterThan(0);
    },
  );
});
