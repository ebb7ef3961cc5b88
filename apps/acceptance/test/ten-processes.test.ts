import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { expect, it, onTestFinished } from "vitest";
import { call, readLog, signIn } from "./api.ts";
import { eventSource } from "./clients/eventsource.ts";
import { readDelivered } from "./delivered-run.ts";
import { startServer } from "./server-process.ts";
import { LONG_MS } from "./two-servers.ts";

const PROCESSES = 10;
const BATCHES = 60;
const AT_ONCE = 4;
const WRITER = join(import.meta.dirname, "writer-process.ts");

interface Landing {
  readonly writer: string;
  readonly batch: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
}

async function writeFrom(storeUrl: string, writer: number): Promise<readonly Landing[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "-C",
    "@tm/source",
    WRITER,
    storeUrl,
    "hot",
    ...[writer, BATCHES, AT_ONCE].map(String),
  ]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Landing);
}

it.each([
  {
    name: "Postgres",
    async start() {
      const server = await startPostgres();
      return { storeUrl: server.url, close: () => server.close() };
    },
  },
  {
    name: "Redis",
    async start() {
      const server = await startRedis();
      return { storeUrl: server.url, close: () => server.close() };
    },
  },
])(
  "S1, S4: ten processes that append to one run on $name leave no gap, and a stream gets it in order",
  async ({ start }) => {
    const { storeUrl, close } = await start();
    onTestFinished(close);
    const { url } = await startServer({ storeUrl });
    await call(url, "POST", "/v1/agent-runs", { runId: "hot" });
    const target = { url: `${url}/v1/agent-runs/hot/stream`, cookie: await signIn(url) };
    const following = eventSource.follow(target, true);
    onTestFinished(() => following.stop());

    const landings = (
      await Promise.all(
        Array.from({ length: PROCESSES }, (_, writer) => writeFrom(storeUrl, writer)),
      )
    ).flat();
    await call(url, "POST", "/v1/agent-runs/hot/events", {
      events: [{ eventType: "RUN_COMPLETED" }],
    });
    const log = await readLog(url, "hot");

    expect(landings).toHaveLength(PROCESSES * BATCHES);
    const tiled = landings.toSorted((a, b) => a.firstSequence - b.firstSequence);
    let end = 0;
    for (const { writer, batch, firstSequence, lastSequence } of tiled) {
      expect(firstSequence).toBe(end + 1);
      end = lastSequence;
      expect(log.slice(firstSequence - 1, lastSequence).map(({ payload }) => payload)).toEqual(
        Array.from({ length: 1 + (batch % 3) }, (_, index) => ({ writer, batch, index })),
      );
    }
    expect(log.map(({ sequence }) => sequence)).toEqual(log.map((_, index) => index + 1));
    expect(log).toHaveLength(end + 1);
    expect(await following.ended).toBe("left");
    expect(readDelivered(following.delivered).events).toEqual(log);
  },
  LONG_MS,
);
