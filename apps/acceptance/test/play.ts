import { setImmediate as turn } from "node:timers/promises";
import type { AppendReceipt, RunEvent } from "@tm/run-events-core";
import { expect, onTestFinished } from "vitest";
import { type Answer, call, type Page, readLog, signIn } from "./api.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";
import { readDelivered } from "./delivered-run.ts";
import type { RestartingServer } from "./restarting-server.ts";
import type { Following, StreamClient } from "./stream-client.ts";

/** Bounds a hang. */
const PATIENCE = { timeout: 60_000 };
const BATCHES = 40;
const KEYED_WRITERS = [0, 1, 2];
/** Sends no key, and never sends a batch again. */
const KEYLESS_WRITER = 3;
const RUN_ID = "play";
const RUN = `/v1/agent-runs/${RUN_ID}`;

/** A fault and its time: this many acknowledgements after the last fault, then this many turns of the event loop. */
export interface Strike {
  readonly acknowledged: number;
  readonly turns: number;
  readonly blow: () => Promise<void>;
}

/** The servers and clients that take part. */
export interface Cast {
  /** On one store. Writers, pollers and streams are spread over them. */
  readonly servers: readonly RestartingServer[];
  /** Each follows the run through each server. */
  readonly clients: readonly StreamClient[];
  readonly strikes: readonly Strike[];
}

/** The outcome, beyond what every play must satisfy. */
export interface Played {
  /** The number of connections of each stream. */
  readonly connects: readonly number[];
  /** Appends without a key that were never answered. */
  readonly unanswered: number;
}

interface Batch {
  readonly writer: number;
  readonly batch: number;
  readonly size: number;
  readonly receipt: AppendReceipt | null;
}

/**
 * Plays a run to its end while things go wrong: writers with and without keys, pollers, and live streams. Then expects that
 * what was acknowledged is in the log once, where its receipt says, each batch whole; and that every reader had exactly the
 * log, in order.
 */
export async function play({ servers, clients, strikes }: Cast): Promise<Played> {
  const urls = await Promise.all(servers.map((server) => server.url()));
  await call(urls[0] ?? "", "POST", "/v1/agent-runs", { runId: RUN_ID });
  const streams = (await Promise.all(urls.map((url) => openStreams(url, clients)))).flat();
  await expect
    .poll(() => streams.filter(({ delivered }) => delivered.length === 0).length, PATIENCE)
    .toBe(0);
  const pollers = servers.map(pollToTheEnd);

  let acknowledged = 0;
  let notify = (): void => {};
  const writing = Promise.all(
    [...KEYED_WRITERS, KEYLESS_WRITER].map((writer) =>
      write(serverOf(servers, writer), writer, () => {
        acknowledged += 1;
        notify();
      }),
    ),
  );
  for (const strike of strikes) {
    const due = acknowledged + strike.acknowledged;
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    notify = () => acknowledged >= due && resolve();
    await Promise.race([reached, writing]);
    for (let turns = 0; turns < strike.turns; turns++) await turn();
    await strike.blow();
  }

  const batches = (await writing).flat();
  await finish(serverOf(servers, 0));
  const log = await readLog(await serverOf(servers, 0).url(), RUN_ID);
  expectWholeBatches(log);
  for (const batch of batches) expectWhereItSays(log, batch);
  for (const poller of pollers) expect(await poller).toEqual(log);
  const connects = await Promise.all(streams.map((stream) => expectDelivered(stream, log)));
  return {
    connects,
    unanswered: batches.filter(
      ({ writer, receipt }) => writer === KEYLESS_WRITER && receipt === null,
    ).length,
  };
}

function serverOf(servers: readonly RestartingServer[], index: number): RestartingServer {
  const server = servers[index % servers.length];
  if (server === undefined) throw new TypeError("Expected a server.");
  return server;
}

async function openStreams(
  url: string,
  clients: readonly StreamClient[],
): Promise<readonly Following[]> {
  const cookie = await signIn(url);
  // Stays where it is while the server is away.
  const proxy = await startCuttingProxy(url, null);
  onTestFinished(() => proxy.close());
  return clients.map((client) => {
    const following = client.follow({ url: `${proxy.url}${RUN}/stream`, cookie }, true);
    onTestFinished(() => following.stop());
    return following;
  });
}

/** Sends it to the server, once; `null` if its outcome is unknown. */
async function post(
  server: RestartingServer,
  body: unknown,
  key: string | null,
): Promise<Answer | null> {
  const headers = key === null ? {} : { "idempotency-key": key };
  try {
    const answer = await call(await server.url(), "POST", `${RUN}/events`, body, headers);
    // The server's store was away, perhaps only when it should have acknowledged, so the append may have landed.
    return answer.status === 503 ? null : answer;
  } catch {
    // The server was killed. Only the log shows whether the append landed.
    return null;
  }
}

/** Resolves once the server and its store serve. */
async function isReady(server: RestartingServer): Promise<void> {
  await expect
    .poll(async () => (await call(await server.url(), "GET", "/readyz")).status, PATIENCE)
    .toBe(200);
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
    let answer = await post(server, { events }, key);
    while (answer === null && key !== null) {
      await isReady(server).catch(() => {});
      answer = await post(server, { events }, key);
    }
    if (answer !== null) {
      expect(answer.status).toBeOneOf(key === null ? [201] : [200, 201]);
      onAcknowledged();
    } else await isReady(server).catch(() => {});
    batches.push({ writer, batch, size, receipt: (answer?.body as AppendReceipt) ?? null });
  }
  return batches;
}

async function finish(server: RestartingServer): Promise<void> {
  const end = { events: [{ eventType: "RUN_COMPLETED" }] };
  await expect
    .poll(async () => (await post(server, end, "end"))?.status, PATIENCE)
    .toBeOneOf([200, 201]);
}

async function pollToTheEnd(server: RestartingServer): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const since = events.at(-1)?.sequence ?? 0;
    const path = `${RUN}/events?since=${since}&limit=7&wait=5`;
    try {
      const { status, body } = await call(await server.url(), "GET", path);
      if (status === 503) {
        await isReady(server);
        continue;
      }
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

/** Each batch that is in the log is there whole, in one piece and once. */
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

function expectWhereItSays(log: readonly RunEvent[], { writer, batch, receipt }: Batch): void {
  if (writer === KEYLESS_WRITER && receipt === null) return;
  const inLog = log.filter(({ payload }) => {
    const note = payload as Batch | null;
    return note?.writer === writer && note.batch === batch;
  });
  expect([inLog[0]?.sequence, inLog.at(-1)?.sequence], `batch ${writer}-${batch}`).toEqual([
    receipt?.firstSequence,
    receipt?.lastSequence,
  ]);
}

async function expectDelivered(stream: Following, log: readonly RunEvent[]): Promise<number> {
  expect(await stream.ended).toBe("left");
  const { events, counts } = readDelivered(stream.delivered);
  expect(events).toEqual(log);
  return counts["connected"] ?? 0;
}

/** Reads the run of a play, which must be whole at any time. */
export async function inspect(url: string): Promise<void> {
  expectWholeBatches(await readLog(url, RUN_ID));
}
