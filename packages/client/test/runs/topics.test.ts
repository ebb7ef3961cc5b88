import { type Client, createClient } from "@tm/run-events-client/runs";
import { beforeEach, describe, expect, it } from "vitest";
import { failureOf } from "../failure-of.ts";
import { startScriptedServer } from "../scripted-server.ts";
import { useServer } from "../use-server.ts";

const server = useServer();

const ADA = { bearer: "ada" } as const;

/** Texts that a query has to encode. */
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

  it("W34: a list sends no request for a topic that no run can have", async () => {
    const { baseUrl, requests } = await startScriptedServer((response) => response.destroy());
    const client = createClient({ baseUrl, credential: ADA, patienceMs: 0 });
    for (const topic of ["", "\ud83c", 7 as unknown as string]) {
      expect(await failureOf(client.list({ topic }))).toMatchObject({ code: "invalid_request" });
    }
    expect(requests).toStrictEqual([]);
  });
});
