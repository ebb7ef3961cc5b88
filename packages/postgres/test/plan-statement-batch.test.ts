import { isDeepStrictEqual } from "node:util";
import { isTerminal } from "@tm/run-events-core";
import type { AppendRequest, Indexed } from "@tm/run-events-core/store";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planStatementBatch, type StatementBatch } from "../src/plan-statement-batch.ts";
import { arbitraryAppend } from "@tm/run-events-test-servers/arbitrary-append";
import { appendOf } from "@tm/run-events-test-servers/requests";

// Their order by language differs from that by code unit.
const RUN_IDS = ["a", "B", "_c", "-d", "É"];

const arbitraryGroup = fc
  .array(arbitraryAppend(RUN_IDS, [0, 7_200_000]), { maxLength: 20 })
  .map((requests) => requests.map((request, index) => ({ index, request })));

/** Checks a law on every statement batch of a group. */
function onEveryBatch(
  law: (batch: StatementBatch, pending: readonly Indexed<AppendRequest>[]) => void,
): void {
  fc.assert(
    fc.property(arbitraryGroup, (group) => {
      let pending: readonly Indexed<AppendRequest>[] = group;
      while (pending.length > 0) {
        const batch = planStatementBatch(pending);
        law(batch, pending);
        if (batch.rest.length >= pending.length) throw new Error("A batch took nothing.");
        pending = batch.rest;
      }
    }),
  );
}

function onEveryRun(
  law: (
    requests: readonly Indexed<AppendRequest>[],
    waiting: readonly Indexed<AppendRequest>[],
  ) => void,
): void {
  onEveryBatch(({ appends, rest }) => {
    for (const { runId, requests } of appends) {
      law(
        requests,
        rest.filter(({ request }) => request.runId === runId),
      );
    }
  });
}

function startsPhase({ request }: Indexed<AppendRequest>): boolean {
  return request.events.some(({ phase }) => phase !== null);
}

/** Whether a request may be sent after others of its run in the same batch. */
function mayFollow(
  before: readonly Indexed<AppendRequest>[],
  next: Indexed<AppendRequest>,
): boolean {
  const { ownerId, idempotencyKey, expectedSequence, appender, change } = next.request;
  const [first] = before;
  return (
    expectedSequence === null &&
    ownerId === first?.request.ownerId &&
    (appender.by === "anybody" || appender.by === "worker" || appender.by === "input") &&
    isDeepStrictEqual(appender, first.request.appender) &&
    (!startsPhase(next) || before.some(startsPhase)) &&
    (idempotencyKey === null ||
      before.every(({ request }) => request.idempotencyKey !== idempotencyKey)) &&
    before.every(({ request }) => !isTerminal(request.change)) &&
    // The status between the two would be lost.
    (first.request.change === "waiting" || first.request.change === change)
  );
}

describe("a statement batch", () => {
  it("S2: a batch takes requests from every group, and loses and doubles none", () => {
    onEveryBatch(({ appends, rest }, pending) => {
      const taken = appends.flatMap(({ requests }) => requests);
      expect(taken.length).toBeGreaterThan(0);
      expect([...taken, ...rest].toSorted((a, b) => a.index - b.index)).toEqual(pending);
    });
  });

  it("S2: a batch keeps the order of a run's requests", () => {
    onEveryRun((requests, waiting) => {
      const places = [...requests, ...waiting].map(({ index }) => index);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    });
  });

  it("S4: a batch has each run once, in the same order in all processes", () => {
    onEveryBatch(({ appends }) => {
      const runIds = appends.map(({ runId }) => runId);
      expect(runIds).toEqual([...new Set(runIds)].toSorted());
      for (const { runId, requests } of appends) {
        expect(new Set(requests.map(({ request }) => request.runId))).toEqual(new Set([runId]));
      }
    });
  });

  it("S5: a batch has only requests of a run that can be judged together", () => {
    onEveryRun((requests) => {
      requests.forEach((placed, index) => {
        if (index > 0) expect(mayFollow(requests.slice(0, index), placed)).toBe(true);
      });
    });
  });

  it("S5: a batch starts a phase with a run's first request, or not at all", () => {
    onEveryRun(([first, ...others]) => {
      if (others.some(startsPhase)) expect(first && startsPhase(first)).toBe(true);
    });
  });

  it("S2: a batch leaves no request that could be in it", () => {
    onEveryRun((requests, [next]) => {
      if (next !== undefined) expect(mayFollow(requests, next)).toBe(false);
    });
  });

  it("S12: a batch is the whole group if no request has a condition", () => {
    const requests = [...RUN_IDS, ...RUN_IDS, ...RUN_IDS].map((runId) => appendOf(runId));
    const { appends, rest } = planStatementBatch(
      requests.map((request, index) => ({ index, request })),
    );
    expect(rest).toEqual([]);
    expect(appends).toHaveLength(RUN_IDS.length);
  });
});
