import {
  type PostgresServer,
  promoteStandby,
  startPostgres,
  startSynchronousStandby,
  startTcpProxy,
  type TcpProxy,
} from "@tm/run-events-test-servers";
import { playFailover } from "@tm/run-events-test-servers/failover";
import { describe, it, onTestFinished } from "vitest";
import type { PostgresStore } from "../src/index.ts";
import { newSchema, openPool, openStore } from "./stores.ts";

const ANSWER_MS = 2_000;

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
        max: 3,
        connectionTimeoutMillis: ANSWER_MS,
        query_timeout: ANSWER_MS,
      });
      return (await openStore(pool, { schema })).inner;
    },
  };
}

describe("a failover to a synchronous standby, under calls of many clients", () => {
  it("S1-S10, S21, S5: the failover of a killed primary loses and doubles nothing", async () => {
    const { primary, standby, proxy, open } = await startPair();
    await playFailover({
      open,
      async fail() {
        await primary.stop("kill");
        await promoteStandby(standby);
        proxy.moveTo(standby);
        proxy.cut();
      },
    });
  });

  it("S1-S10, S21, S5: the failover of a primary that becomes silent, with its connections, loses and doubles nothing", async () => {
    const { primary, standby, proxy, open } = await startPair();
    await playFailover({
      open,
      async fail() {
        onTestFinished(await primary.freeze());
        await promoteStandby(standby);
        proxy.moveTo(standby);
      },
    });
  });
});
