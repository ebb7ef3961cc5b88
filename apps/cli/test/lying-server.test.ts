import { createClient } from "@tm/run-events-client/runs";
import { expect, it } from "vitest";
import { onFastClock } from "../../../packages/client/test/on-fast-clock.ts";
import { json, startScriptedServer } from "../../../packages/client/test/scripted-server.ts";
import { tailRun } from "../src/tail.ts";

const EVENT = { sequence: 1, eventType: "A", payload: null, createdAt: "" };

it.each([
  ["no event", []],
  ["the same event again", [EVENT]],
  ["a hole", [{ ...EVENT, sequence: 3 }]],
])(
  "W17: tail asks twice a second at most if the server answers each poll at once with %s",
  async (_, events) => {
    const page = { events, currentPhase: null, lastSequence: 1, hasMore: true };
    let isEnd = false;
    const { baseUrl, requests } = await startScriptedServer((response) => {
      const end = { events: [EVENT], runStatus: "completed" };
      json(response, 200, { ...page, runStatus: "running", ...(isEnd && end) });
    });
    const runs = createClient({ baseUrl, credential: { bearer: "b" } });
    await onFastClock(async () => {
      const query = { runId: "a", since: 0, tail: null, json: true };
      const tailed = tailRun(runs, query);
      await new Promise((resolve) => setTimeout(resolve, 30_000));
      isEnd = true;
      expect(await tailed).toBe(0);
    });
    expect(requests.length).toBeLessThanOrEqual(62);
    expect(requests.length).toBeGreaterThan(3);
  },
);
