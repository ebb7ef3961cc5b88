import { expect, it, onTestFinished } from "vitest";
import { EVERY_CLIENT } from "./clients/every-client.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";
import { readDelivered } from "./delivered-run.ts";
import { startStreamServer } from "./stream-server.ts";

const CONNECTIONS = 5;

it.each(EVERY_CLIENT)(
  "W26: $name follows a busy run without a gap or a repeat over streams that end at their maximum age",
  async (client) => {
    const { runs, url, cookie, close } = await startStreamServer({ maxAgeMs: 50 });
    onTestFinished(close);
    const proxy = await startCuttingProxy(url, null);
    onTestFinished(() => proxy.close());
    const { runId } = await runs.create({ ownerId: "ada" });
    const target = { url: `${proxy.url}/v1/agent-runs/${runId}/stream`, cookie };
    const following = client.follow(target, true);
    onTestFinished(() => following.stop());

    // An event at each look, so that streams end and begin between events that come all the time.
    await expect
      .poll(
        async () => {
          await runs.as("ada").append(runId, [{ eventType: "NOTE" }, { eventType: "NOTE" }]);
          return readDelivered(following.delivered).counts["connected"] ?? 0;
        },
        { interval: 1, timeout: 30_000 },
      )
      .toBeGreaterThanOrEqual(CONNECTIONS);
    await runs.as("ada").append(runId, [{ eventType: "RUN_COMPLETED" }]);

    expect(await following.ended).toBe("left");
    const { events, counts } = readDelivered(following.delivered);
    const { lastSequence } = await runs.as("ada").get(runId);
    expect(events.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: lastSequence }, (_, index) => index + 1),
    );
    expect(counts["max_age"]).toBe((counts["connected"] ?? 0) - 1);
  },
);
