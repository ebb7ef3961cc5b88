import { followRun } from "@tm/run-events-client";
import { createClient } from "@tm/run-events-client/runs";
import { describe, expect, it, onTestFinished } from "vitest";
import { failureOf } from "../failure-of.ts";
import { keepSeen, notes } from "../keep-seen.ts";
import { startServer } from "../start-server.ts";

const CREDENTIALS = [{ cookie: "session=ada" }, { bearer: "ada" }] as const;
const CHANGED = { code: "history_changed", retryable: false };

describe("a server whose log has lost its end", () => {
  it("W46: a since with another time fails at once, by polls and by the stream, and a page too", async () => {
    const server = await startServer();
    onTestFinished(() => server.close());
    const baseUrl = `http://127.0.0.1:${server.port}`;
    const runs = createClient({ baseUrl, credential: { bearer: "ada" } });
    const { runId } = await runs.create();
    await runs.append(runId, [...notes(3), { eventType: "RUN_COMPLETED" }]);
    const { events } = await runs.events(runId);
    const at = events[1]?.createdAt;
    const other = "2020-01-01T00:00:00.000Z";
    expect((await runs.events(runId, { since: 2, at })).events).toHaveLength(2);
    expect(await failureOf(runs.events(runId, { since: 2, at: other }))).toMatchObject(CHANGED);
    for (const credential of CREDENTIALS) {
      const mine = { baseUrl, credential, runId, since: 2 };
      const right = keepSeen(followRun({ ...mine, at }));
      expect([await right.ended, right.seen]).toEqual(["the end", [3, 4]]);
      const wrong = followRun({ ...mine, at: other });
      expect(await keepSeen(wrong).ended).toMatchObject({
        ...CHANGED,
        details: { lastSequence: 4 },
      });
      expect(wrong).toMatchObject({ state: "failed", cursor: 2, error: CHANGED });
    }
  });
});
