import { startRun } from "@tm/run-events-client";
import { type Client, createClient } from "@tm/run-events-client/runs";
import { beforeEach, describe, expect, it } from "vitest";
import { failureOf } from "../failure-of.ts";
import { startScriptedServer } from "../scripted-server.ts";
import { useServer } from "../use-server.ts";

const server = useServer();

const ADA = { bearer: "ada" } as const;

/** What a query has to encode. */
const HARD = ["a&status=live", "100%", "a+b", "a b", "a=b#c?", "\u{1f375}", "null", "undefined"];

/** A topic that no other test uses. */
function newTopic(start: string): string {
  return `${start} ${crypto.randomUUID()}`;
}

describe("topics", () => {
  let runs: Client;
  beforeEach(() => {
    runs = createClient({ baseUrl: server.baseUrl, credential: ADA, patienceMs: 0 });
  });

  it("W34: a run is created with a topic, and keeps it", async () => {
    const topic = newTopic("tea");
    const created = await runs.create({ topic, metadata: { n: 1 } });
    expect(created).toMatchObject({ topic, metadata: { n: 1 } });
    const { runId } = created;
    expect(await runs.create({ runId, topic: newTopic("coffee") })).toStrictEqual(created);
    expect((await runs.get(runId)).topic).toBe(topic);
    expect((await runs.cancel(runId)).topic).toBe(topic);
  });

  it("W34: without a topic, or with null, a run has none", async () => {
    for (const part of [{}, { topic: null }, { topic: undefined }])
      expect((await runs.create(part)).topic).toBeNull();
  });

  it("W34: a list has the caller's runs of the topic, with any characters", async () => {
    for (const topic of HARD.map(newTopic)) {
      const { runId } = await runs.create({ topic });
      const { runs: listed } = await runs.list({ topic });
      expect(listed.map((run) => [run.runId, run.topic])).toStrictEqual([[runId, topic]]);
    }
    const bob = createClient({ baseUrl: server.baseUrl, credential: { bearer: "bob" } });
    const topic = newTopic("shared");
    await bob.create({ topic });
    expect((await runs.list({ topic })).runs).toStrictEqual([]);
  });

  it("W34: a list of a topic's live runs goes on with its `nextCursor`", async () => {
    const topic = newTopic("chat");
    const made: string[] = [];
    for (let at = 0; at < 4; at++) made.unshift((await runs.create({ topic })).runId);
    const [, ended = "", ...rest] = made;
    await runs.cancel(ended);
    const query = { topic, status: "live", limit: 2 } as const;
    const first = await runs.list(query);
    const second = await runs.list({ ...query, cursor: first.nextCursor ?? undefined });
    const ids = [...first.runs, ...second.runs].map(({ runId }) => runId);
    expect(ids).toStrictEqual([made[0], ...rest]);
    expect(second.nextCursor).toBeNull();
    const cancelled = await runs.list({ topic, status: "cancelled" });
    expect(cancelled.runs.map(({ runId }) => runId)).toStrictEqual([ended]);
  });

  it("W34: startRun creates its run with the topic", async () => {
    const topic = newTopic("startRun");
    const run = await startRun({ baseUrl: server.baseUrl, credential: ADA, topic });
    const { runs: live } = await runs.list({ topic, status: "live" });
    expect(live.map(({ runId }) => runId)).toStrictEqual([run.runId]);
    await run.complete();
    expect((await runs.list({ topic, status: "live" })).runs).toStrictEqual([]);
  });

  it("W34: a bad topic is invalid_request, and no message shows it", async () => {
    const options = { baseUrl: server.baseUrl, credential: ADA };
    for (const topic of ["", "x".repeat(201), "secret\n", "secret\ud83c"]) {
      const calls = [runs.create({ topic }), runs.list({ topic }), startRun({ ...options, topic })];
      for (const failure of await Promise.all(calls.map(failureOf))) {
        expect(failure).toMatchObject({ code: "invalid_request" });
        expect(String(failure)).not.toContain("secret");
      }
    }
  });

  it("W34: a list sends no request for a topic that no run can have", async () => {
    const { baseUrl, requests } = await startScriptedServer((response) => response.destroy());
    const client = createClient({ baseUrl, credential: ADA, patienceMs: 0 });
    for (const topic of ["", "\ud83c", 7 as unknown as string]) {
      expect(await failureOf(client.list({ topic }))).toMatchObject({ code: "invalid_request" });
    }
    expect(requests).toStrictEqual([]);
  });
});
