import type { RedisServer, TcpProxy } from "@tm/run-events-test-servers";
import type { Redis } from "ioredis";
import { expect } from "vitest";
import { connect, openProxy, openServer } from "../opened.ts";

/** A master with a replica, and a host name that leads to one of the two. */
export interface Replicated {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** Leads to the master until it is moved. */
  readonly name: TcpProxy;
  /** A client that reaches the master directly, without the name. */
  readonly eye: Redis;
  /** Resolves once the replica has all that the master has now. */
  catchUp(): Promise<void>;
  /** From now on the replica gets nothing new. */
  lag(): void;
  /** The replica gets everything that it has missed. */
  followOn(): void;
}

/** Starts the servers; all end after the test. */
export async function openReplicated(): Promise<Replicated> {
  const common = ["--repl-diskless-sync-delay", "0"];
  const master = await openServer({ settings: common });
  const link = await openProxy(master);
  const replica = await openServer({
    settings: [...common, "--replicaof", `${link.host} ${link.port}`],
  });
  const name = await openProxy(master);
  const eye = connect(master);
  await expect.poll(() => eye.info("replication"), { timeout: 20_000 }).toContain("state=online");
  return {
    master,
    replica,
    name,
    eye,
    catchUp: () => hasCaughtUp(eye),
    lag: () => link.stall(),
    followOn: () => link.resume(),
  };
}

/** Resolves once the master's first replica has all that the master has now. */
export async function hasCaughtUp(master: Redis): Promise<void> {
  const offset = async (pattern: RegExp): Promise<number> =>
    Number(pattern.exec(await master.info("replication"))?.[1]);
  const now = await offset(/master_repl_offset:(\d+)/);
  await expect
    .poll(() => offset(/slave0:.*offset=(\d+)/), { timeout: 20_000 })
    .toBeGreaterThanOrEqual(now);
}

/** Moves a name, and breaks the connections that used it. */
export function lead(name: TcpProxy, to: { readonly host: string; readonly port: number }): void {
  name.moveTo(to);
  name.cut();
  name.resume();
}
