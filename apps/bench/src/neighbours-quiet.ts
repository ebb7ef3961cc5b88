import { Agent } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { serveParent } from "./child.ts";
import { ask } from "./neighbours-ask.ts";
import { QUIET_OWNERS, type QuietLoader } from "./neighbours-load.ts";
import { sampleEvent } from "./sample-event.ts";

/** How long an owner waits between two appends, in milliseconds. */
const PACE_MS = 20;
const BODY = Buffer.from(JSON.stringify({ events: [sampleEvent(400)] }));

serveParent<QuietLoader>({
  async append({ port, millis }) {
    const agent = new Agent({ keepAlive: true });
    const endsAt = performance.now() + millis;
    const tookMs: number[] = [];
    await Promise.all(
      QUIET_OWNERS.map(async (owner, at) => {
        await pause((PACE_MS / QUIET_OWNERS.length) * at);
        while (performance.now() < endsAt) {
          const startedAt = performance.now();
          const path = `/v1/agent-runs/${owner}/events`;
          const status = await ask({ port, agent, owner, method: "POST", path, body: BODY });
          if (status !== 201) throw new Error(`A quiet owner's append was answered ${status}.`);
          tookMs.push(performance.now() - startedAt);
          await pause(PACE_MS);
        }
      }),
    );
    agent.destroy();
    return tookMs;
  },
});
