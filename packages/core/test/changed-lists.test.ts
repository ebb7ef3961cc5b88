import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChangedLists } from "../src/follow/changed-lists.ts";
import type { ChangedQuery, ChangedRuns } from "../src/rules/changed.ts";
import { createDeferred, type Deferred } from "./deferred.ts";

const QUERY = { ownerId: "ada", topic: null, since: null, limit: 16 };

function pageOf(cursor: string): ChangedRuns {
  return { isReset: false, runs: [], gone: [], live: [], cursor, hasMore: false };
}

/** Lists whose calls wait for the test. */
function world() {
  const calls: { readonly query: ChangedQuery; readonly answer: Deferred<ChangedRuns> }[] = [];
  const lists = new ChangedLists((query) => {
    const answer = createDeferred<ChangedRuns>();
    calls.push({ query, answer });
    return answer.promise;
  });
  return { calls, lists };
}

/** A turn of the event loop, and what follows from it. */
async function turn(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

describe("ChangedLists", () => {
  it("S29, W48: an owner has one list at a time, with a turn of the event loop before each", async () => {
    const { calls, lists } = world();
    const answers = ["a", "b", "c"].map((since) => lists.list({ ...QUERY, since }));
    // Settled promises alone are not a turn of the event loop.
    for (let hop = 0; hop < 20; hop++) await Promise.resolve();
    expect(calls).toHaveLength(0);
    for (const [at, since] of ["a", "b", "c"].entries()) {
      await turn();
      expect(calls.map(({ query }) => query.since)).toEqual(["a", "b", "c"].slice(0, at + 1));
      calls[at]?.answer.resolve(pageOf(`${since}2`));
      for (let hop = 0; hop < 20; hop++) await Promise.resolve();
      expect(calls).toHaveLength(at + 1);
    }
    expect((await Promise.all(answers)).map(({ cursor }) => cursor)).toEqual(["a2", "b2", "c2"]);
  });

  it("S29, W48: callers that ask for the same share a list that has not begun, and no other", async () => {
    const { calls, lists } = world();
    const first = [1, 2, 3].map(() => lists.list(QUERY));
    const others = [{ topic: "tea" }, { since: "x" }, { limit: 1 }, { ownerId: "bob" }].map(
      (other) => lists.list({ ...QUERY, ...other }),
    );
    await turn();
    // Bob does not wait for ada.
    expect(calls.map(({ query }) => query.ownerId)).toEqual(["ada", "bob"]);
    // A list that has begun may lack a change that this caller was notified of.
    const late = lists.list(QUERY);
    for (let at = 0; at < 6; at++) {
      calls[at]?.answer.resolve(pageOf(`${at}`));
      await turn();
    }
    expect((await Promise.all(first)).map(({ cursor }) => cursor)).toEqual(["0", "0", "0"]);
    expect((await Promise.all(others)).map(({ cursor }) => cursor)).toEqual(["2", "3", "4", "1"]);
    expect((await late).cursor).toBe("5");
    expect(calls).toHaveLength(6);
  });

  it("S29, W48: a caller leaves with its signal; a list without a caller does not begin, and the next one does", async () => {
    const { calls, lists } = world();
    const stop = new AbortController();
    const running = lists.list(QUERY, stop.signal);
    await turn();
    const alone = lists.list({ ...QUERY, since: "alone" }, stop.signal);
    const left = lists.list({ ...QUERY, since: "shared" }, stop.signal);
    const stays = lists.list({ ...QUERY, since: "shared" });
    const reason = new Error("enough");
    stop.abort(reason);
    for (const one of [running, alone, left]) await expect(one).rejects.toBe(reason);
    await expect(lists.list(QUERY, stop.signal)).rejects.toBe(reason);
    calls[0]?.answer.reject(new Error("no caller waits for it"));
    await turn();
    expect(calls.map(({ query }) => query.since)).toEqual([null, "shared"]);
    calls[1]?.answer.resolve(pageOf("1"));
    expect((await stays).cursor).toBe("1");
  });

  it("S29, W48: a list that fails ends its callers with the error, and the owner goes on", async () => {
    const { calls, lists } = world();
    const failed = [lists.list(QUERY), lists.list(QUERY)];
    const next = lists.list({ ...QUERY, since: "x" });
    await turn();
    const down = new Error("down");
    calls[0]?.answer.reject(down);
    for (const one of failed) await expect(one).rejects.toBe(down);
    await turn();
    calls[1]?.answer.resolve(pageOf("1"));
    expect((await next).cursor).toBe("1");
  });

  it("S18, W48: closing ends every caller, of lists under way and of those that wait", async () => {
    const { calls, lists } = world();
    const running = lists.list(QUERY);
    await turn();
    const waiting = lists.list(QUERY);
    lists.close();
    for (const one of [running, waiting, lists.list(QUERY)])
      await expect(one).rejects.toMatchObject({ code: "store_unavailable" });
    calls[0]?.answer.resolve(pageOf("1"));
    await turn();
    expect(calls).toHaveLength(1);
  });

  it("S29, W48: callers ask and leave at any time, and each that stays gets a list that began after it asked", async () => {
    const act = fc.record({
      do: fc.constantFrom("ask", "ask", "ask", "answer", "answer", "leave", "turn"),
      at: fc.nat({ max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40, size: "max" }), async (acts) => {
        const { calls, lists } = world();
        const asked: { readonly stop: AbortController; readonly got: Promise<boolean> }[] = [];
        let answered = 0;
        const answer = (): void => {
          calls[answered]?.answer.resolve(pageOf(`${answered}`));
          answered = Math.min(calls.length, answered + 1);
        };
        for (const one of acts) {
          if (one.do === "ask") {
            const stop = new AbortController();
            const from = calls.length;
            const query = { ...QUERY, limit: 1 + (one.at % 3) };
            const got = lists.list(query, stop.signal).then(
              ({ cursor }) =>
                Number(cursor) >= from && calls[Number(cursor)]?.query.limit === query.limit,
              () => stop.signal.aborted,
            );
            asked.push({ stop, got });
          }
          if (one.do === "answer") answer();
          if (one.do === "leave") asked[one.at]?.stop.abort();
          if (one.do === "turn") await turn();
          expect(calls.length - answered).toBeLessThanOrEqual(1);
        }
        for (let left = 0; left < 10; left++) {
          answer();
          await turn();
        }
        expect(await Promise.all(asked.map(({ got }) => got))).toEqual(asked.map(() => true));
      }),
      { numRuns: 100 },
    );
  });
});
