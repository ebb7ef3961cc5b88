import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { createHandler, type Handler, type Identity } from "../src/index.ts";

interface Stage {
  readonly handler: Handler;
  readonly runs: RunEvents;
  /** Where the reads of the store began, in their order. */
  readonly sinces: number[];
  /** The turns of the event loop in which a list of the store began. */
  readonly listed: number[];
  /** The number of the turn of the event loop. */
  readonly turn: () => number;
}

/** A handler with a run of ada's and one of bob's. */
async function openStage(): Promise<Stage> {
  const store = createMemoryStore();
  const sinces: number[] = [];
  const listed: number[] = [];
  const turn = countTurns();
  const runs = createRunEvents({
    store: {
      ...store,
      read(queries) {
        sinces.push(...queries.map(({ since }) => since));
        return store.read(queries);
      },
      list(query) {
        listed.push(turn());
        return store.list(query);
      },
    },
  });
  onTestFinished(() => runs.close());
  for (const ownerId of ["ada", "bob"]) await runs.create({ ownerId, runId: ownerId });
  const authenticate = ({ headers }: Request): Identity => ({
    userId: headers.get("authorization") ?? "",
    credential: "bearer",
  });
  return { handler: createHandler({ runs, authenticate }), runs, sinces, listed, turn };
}

function append({ fetch }: Handler, owner: string, bytes: number): Promise<Response> {
  const headers = { authorization: owner, "content-type": "application/json" };
  const events = [{ eventType: "NOTE", payload: "x".repeat(bytes) }];
  const url = `http://localhost/v1/agent-runs/${owner}/events`;
  return fetch(new Request(url, { method: "POST", headers, body: JSON.stringify({ events }) }));
}

it("W49: a large body gives way to a small append that comes after it, of another user or of the same", async () => {
  const { handler } = await openStage();
  for (const owner of ["ada", "bob"]) {
    const order: string[] = [];
    const send = async (name: string, to: string, bytes: number): Promise<void> => {
      expect((await append(handler, to, bytes)).status).toBe(201);
      order.push(name);
    };
    await Promise.all([send("large", "ada", 16_384), send("small", owner, 10)]);
    expect(order).toEqual(["small", "large"]);
  }
});

/** Counts the turns of the event loop until the test ends. */
function countTurns(): () => number {
  let turn = 0;
  let next = setImmediate(function go() {
    turn += 1;
    next = setImmediate(go);
  });
  onTestFinished(() => clearImmediate(next));
  return () => turn;
}

it("W48, W49: of many lists at once one is written in a turn, and one part of a page of runs is read", async () => {
  const { handler, runs, listed, turn } = await openStage();
  for (let at = 0; at < 400; at++) await runs.create({ ownerId: "ada" });
  const answerAll = (query: string): Promise<readonly number[]> =>
    Promise.all(
      Array.from({ length: 16 }, async () => {
        const url = `http://localhost/v1/agent-runs?${query}`;
        const answer = await handler.fetch(new Request(url, { headers: { authorization: "ada" } }));
        expect(answer.status).toBe(200);
        return turn();
      }),
    );
  expect(new Set(await answerAll("feed=live")).size).toBe(16);
  listed.length = 0;
  await answerAll("limit=200");
  expect(listed).toHaveLength(16 * 13);
  expect(new Set(listed).size).toBe(16 * 13);
});

it("W48, W49: small lists of many users take no turns of the event loop one after the other", async () => {
  const { handler, runs, turn } = await openStage();
  const owners = Array.from({ length: 40 }, (_, at) => `owner-${at}`);
  for (const ownerId of owners) await runs.create({ ownerId });
  const before = turn();
  await Promise.all(
    owners.map((authorization) => {
      const url = "http://localhost/v1/agent-runs?feed=live";
      return handler.fetch(new Request(url, { headers: { authorization } }));
    }),
  );
  expect(turn() - before).toBeLessThan(4 * owners.length);
});

it("W49: of a user's large pages one at a time is read", async () => {
  const { handler, sinces } = await openStage();
  for (let at = 0; at < 6; at++) await append(handler, "ada", 200_000);
  sinces.length = 0;
  const pages = Array.from({ length: 4 }, async () => {
    const url = "http://localhost/v1/agent-runs/ada/events";
    return (await handler.fetch(new Request(url, { headers: { authorization: "ada" } }))).text();
  });
  const texts = await Promise.all(pages);
  expect(new Set(texts.map(({ length }) => length)).size).toBe(1);
  // Four looks, then the reads of one page after the other.
  const reads = sinces.slice(4);
  const ofOne = reads.slice(0, reads.length / 4);
  expect(ofOne.length).toBeGreaterThan(1);
  expect(reads).toEqual([...ofOne, ...ofOne, ...ofOne, ...ofOne]);
});
