import {
  type ExactlyOnce,
  type PostgresServer,
  promoteStandby,
  startExactlyOnce,
  startPostgres,
  startSynchronousStandby,
  startTcpProxy,
  type TcpProxy,
} from "@tm/run-events-test-servers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { PostgresStore } from "../src/index.ts";
import { PATIENT } from "./patient.ts";
import { newSchema, openPool, openStore } from "./stores.ts";

/** Shorter than a lease of the play, which no worker may lose meanwhile. */
const ANSWER_MS = 2_000;
/** The number of events that are acknowledged before the failover, and again after it. */
const EVENTS = 150;

interface Pair {
  readonly primary: PostgresServer;
  /** Has on its disk everything that the primary acknowledges. */
  readonly standby: PostgresServer;
  /** The host name that leads to the primary. */
  readonly proxy: TcpProxy;
  /** A store over that name, with its own connections. */
  open(): Promise<PostgresStore>;
}

async function startPair(): Promise<Pair> {
  const primary = await startPostgres();
  onTestFinished(() => primary.close());
  const standby = await startSynchronousStandby(primary);
  onTestFinished(() => standby.close());
  const proxy = await startTcpProxy({ to: primary });
  onTestFinished(() => proxy.close());
  const url = new URL(primary.url);
  url.port = String(proxy.port);
  const schema = newSchema();
  return {
    primary,
    standby,
    proxy,
    async open() {
      const pool = openPool(url.href, {
        max: 6,
        connectionTimeoutMillis: ANSWER_MS,
        query_timeout: ANSWER_MS,
        idleTimeoutMillis: 0,
      });
      return (await openStore(pool, { schema })).inner;
    },
  };
}

async function startPlay({ open }: Pair): Promise<ExactlyOnce> {
  const play = await startExactlyOnce({ stores: [await open(), await open(), await open()] });
  await play.advance(EVENTS);
  return play;
}

/** Fails unless the play continues, and nothing was lost, doubled or used again. */
async function expectToContinue(play: ExactlyOnce): Promise<void> {
  await play.advance(EVENTS);
  const { acknowledged, claims } = await play.finish();
  expect(acknowledged).toBeGreaterThanOrEqual(2 * EVENTS);
  expect(claims).toBeGreaterThan(4);
}

describe("a failover to a synchronous standby, under writers, workers and readers", () => {
  it("S1-S10, S21, S5: the failover of a killed primary loses and doubles nothing", async () => {
    const pair = await startPair();
    const play = await startPlay(pair);
    await pair.primary.stop("kill");
    await promoteStandby(pair.standby);
    pair.proxy.moveTo(pair.standby);
    pair.proxy.cut();
    await expectToContinue(play);
  });

  it("S1-S10, S21, S5: a name that leads to the standby before its promotion loses and doubles nothing", async () => {
    const pair = await startPair();
    const play = await startPlay(pair);
    const store = await pair.open();
    pair.proxy.moveTo(pair.standby);
    await pair.primary.stop("kill");
    pair.proxy.cut();
    // Meanwhile every call of the play reaches the standby.
    const probe = (): Promise<unknown> => store.probe().catch((error: unknown) => error);
    const refused = { code: "store_unavailable", retryable: true };
    const standby = { ...refused, message: expect.stringContaining("a standby") };
    await expect.poll(probe, PATIENT).toMatchObject(standby);
    for (let probes = 0; probes < 20; probes++) expect(await probe()).toMatchObject(standby);
    await promoteStandby(pair.standby);
    await expectToContinue(play);
    await store.probe();
  });

  it("S1-S10, S21, S5: the failover of a primary that becomes silent, with its connections, loses and doubles nothing", async () => {
    const pair = await startPair();
    const play = await startPlay(pair);
    onTestFinished(await pair.primary.freeze());
    await promoteStandby(pair.standby);
    pair.proxy.moveTo(pair.standby);
    await expectToContinue(play);
  });
});
