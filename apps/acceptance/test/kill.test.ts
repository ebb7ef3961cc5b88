import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { EVERY_CLIENT } from "./clients/every-client.ts";
import { inspect, play } from "./play.ts";
import { startRestartingServer } from "./restarting-server.ts";
import { makeTempFolder } from "./temp-folder.ts";

const LONG_MS = 180_000;
const KILLS = 6;

/** The time of a kill: this many acknowledgements after the last start, then this many turns of the test's event loop. */
const killPoints = fc.array(
  fc.record({ acknowledged: fc.integer({ min: 1, max: 15 }), turns: fc.nat(60) }),
  { minLength: KILLS, maxLength: KILLS },
);

it(
  "S1, S2, S6, W10: kill -9 under writers and readers loses no acknowledged event, halves no batch, repeats none",
  async () => {
    await fc.assert(
      fc.asyncProperty(killPoints, async (points) => {
        const folder = await makeTempFolder();
        const server = await startRestartingServer({
          storeUrl: `sqlite:${join(folder, "run-events.db")}`,
        });
        const strikes = points.map((point) => ({ ...point, blow: () => server.crash(inspect) }));
        const { connects } = await play({ servers: [server], clients: EVERY_CLIENT, strikes });
        for (const count of connects) expect(count).toBeGreaterThan(1);
      }),
      { numRuns: 2, endOnFailure: true },
    );
  },
  LONG_MS,
);
