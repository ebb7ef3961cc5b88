import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import type { AppendReceipt, RunEvent } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { type Answer, call, type Page, readLog, signIn } from "./api.ts";
import { EVERY_CLIENT } from "./clients/every-client.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";
import { readDelivered } from "./delivered-run.ts";
import { type RestartingServer, startRestartingServer } from "./restarting-server.ts";
import { makeTempFolder } from "./temp-folder.ts";

/** Bounds a hang. */
const PATIENCE = { timeout: 30_000 };
const LONG_MS = 180_000;
const KILLS = 6;
const BATCHES = 40;
const KEYED_WRITERS = [0, 1, 2];
/** Sends no key, and never sends a batch again. */
const KEYLESS_WRITER = 3;
const POLLERS = 2;
const RUN = "/v1/agent-runs/kill";

/** When to kill: so many acknowledgements after the last start, and so many turns of the test's event loop later. */
interface KillPoint {
  readonly acknowledged: number;
  readonly turns: number;
}

interface Batch {
  readonly writer: number;
  readonly batch: number;
  readonly size: number;
  readonly receipt: AppendReceipt | null;
}

const killPoints = fc.array(
  fc.record({ acknowledged: fc.integer({ min: 1, max: 15 }), turns: fc.nat(60) }),
  { minLength: KILLS, maxLength: KILLS },
);

/** Sends it to the server, once; `null` if the connection broke before there was an answer. */
async function post(url: string, body: unknown, key: string | null): Promise<Answer | null> {
  const headers = key === null ? {} : { "idempotency-key": key };
  try {
    return await call(url, "POST", `${RUN}/events`, body, headers);
  } catch {
    // The server was killed: whether the append landed is what the log will say.
    return null;
  }
}

async function write(
  server: RestartingServer,
  writer: number,
  onAcknowledged: () => void,
): Promise<readonly Batch[]> {
  const batches: Batch[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const size = 1 + ((batch * 7 + writer) % 5);
    const events = Array.from({ length: size }, (_, index) => ({
      eventType: "NOTE",
      payload: { writer, batch, index, size },
    }));
    const key = writer === KEYLESS_WRITER ? null : `${writer}-${batch}`;
    let answer = await post(await server.url(), { events }, key);
    while (answer === null && key !== null)
      answer = await post(await server.url(), { events }, key);
    if (answer !== null) {
      expect(answer.status).toBeOneOf(key === null ? [201] : [200, 201]);
      onAcknowledged();
    }
    batches.push({ writer, batch, size, receipt: (answer?.body as AppendReceipt) ?? null });
  }
  return batches;
}

async function pollToTheEnd(server: RestartingServer): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const since = events.at(-1)?.sequence ?? 0;
    const path = `${RUN}/events?since=${since}&limit=7&wait=5`;
    try {
      const { status, body } = await call(await server.url(), "GET", path);
      expect(status).toBe(200);
      const page = body as Page;
      events.push(...page.events);
      if (page.runStatus === "completed") return events;
    } catch (error) {
      // The server was killed; the cursor is the poller's own.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

/** Each batch that is in the log stands there whole, in one piece and once. */
function expectWholeBatches(log: readonly RunEvent[]): void {
  expect(log.map(({ sequence }) => sequence)).toEqual(log.map((_, index) => index + 1));
  const batches = Object.groupBy(
    log.filter(({ eventType }) => eventType === "NOTE"),
    ({ payload }) => {
      const { writer, batch } = payload as Batch;
      return `${writer}-${batch}`;
    },
  );
  for (const [name, events = []] of Object.entries(batches)) {
    const first = events[0]?.sequence ?? 0;
    const { size } = (events[0]?.payload ?? { size: 0 }) as Batch;
    expect(
      events.map(({ sequence, payload }) => [sequence, (payload as { index: number }).index]),
      `batch ${name}`,
    ).toEqual(Array.from({ length: size }, (_, index) => [first + index, index]));
  }
}

async function survive(points: readonly KillPoint[]): Promise<void> {
  const server = await startRestartingServer(join(await makeTempFolder(), "run-events.db"));
  const url = await server.url();
  await call(url, "POST", "/v1/agent-runs", { runId: "kill" });
  const cookie = await signIn(url);
  const proxy = await startCuttingProxy(url, null);
  onTestFinished(() => proxy.close());
  const streams = EVERY_CLIENT.map(({ name, follow }) => {
    const target = { url: `${proxy.url}${RUN}/stream`, cookie };
    const following = follow(target, true);
    onTestFinished(() => following.stop());
    return { name, following };
  });
  await expect
    .poll(
      () => streams.flatMap(({ name, following }) => (following.delivered.length > 0 ? [] : name)),
      PATIENCE,
    )
    .toEqual([]);
  const pollers = Array.from({ length: POLLERS }, () => pollToTheEnd(server));

  let acknowledged = 0;
  let notify = (): void => {};
  const writing = Promise.all(
    [...KEYED_WRITERS, KEYLESS_WRITER].map((writer) =>
      write(server, writer, () => {
        acknowledged += 1;
        notify();
      }),
    ),
  );
  for (const point of points) {
    const due = acknowledged + point.acknowledged;
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    notify = () => acknowledged >= due && resolve();
    await Promise.race([reached, writing]);
    for (let turns = 0; turns < point.turns; turns++) await turn();
    await server.crash(async (newUrl) => expectWholeBatches(await readLog(newUrl, "kill")));
  }

  const batches = (await writing).flat();
  const end = { events: [{ eventType: "RUN_COMPLETED" }] };
  expect(await post(await server.url(), end, null)).toMatchObject({ status: 201 });
  const log = await readLog(await server.url(), "kill");
  expectWholeBatches(log);
  for (const { writer, batch, receipt } of batches) {
    const inLog = log.filter(({ payload }) => {
      const note = payload as Batch | null;
      return note?.writer === writer && note.batch === batch;
    });
    if (writer === KEYLESS_WRITER && receipt === null) continue;
    expect([inLog[0]?.sequence, inLog.at(-1)?.sequence], `batch ${writer}-${batch}`).toEqual([
      receipt?.firstSequence,
      receipt?.lastSequence,
    ]);
  }
  for (const poller of pollers) expect(await poller).toEqual(log);
  for (const { name, following } of streams) {
    expect(await following.ended, name).toBe("left");
    const { events, counts } = readDelivered(following.delivered);
    expect(events, name).toEqual(log);
    expect(counts["connected"], name).toBeGreaterThan(1);
  }
}

it(
  "S1, S2, S6, W10: kill -9 under writers and readers loses nothing acknowledged, halves no batch, repeats nothing",
  async () => {
    await fc.assert(fc.asyncProperty(killPoints, survive), { numRuns: 2, endOnFailure: true });
  },
  LONG_MS,
);
