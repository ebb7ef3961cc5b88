import { runIdOf } from "./append-writer.ts";
import type { Child, startChild } from "./child.ts";
import { databaseMicros, type DatabaseUsage } from "./database-usage.ts";
import type { Readers } from "./readers.ts";
import { streamPath } from "./run-server.ts";
import type { AppendsByHttp, SizingLoad } from "./sizing-load.ts";
import type { SizingServer } from "./sizing-server.ts";
import type { Measured } from "./sizing-solve.ts";

/** A database, and how to ask it what it has done. */
export interface SizingStore {
  readonly url: string;
  usage(): Promise<DatabaseUsage>;
}

/** Some readers of each of the runs `first` … `first + runs - 1`. */
interface Connect {
  readonly group: string;
  readonly first: number;
  readonly runs: number;
  readonly readersARun: number;
}

/** Two servers that share a store, one to append to by HTTP and one to read from, and who appends and reads. */
export interface SizingStand {
  connect(readers: Connect): Promise<void>;
  /** Ends all streams. */
  disconnect(): Promise<void>;
  /** Resident memory of the server that holds the streams. */
  residentBytes(): Promise<number>;
  append(load: Omit<AppendsByHttp, "port">): Promise<void>;
  /** Resolves when each reader of the group has had the event of this sequence. @throws unless it had every one before it, once and in order */
  reach(group: string, sequence: number): Promise<void>;
  /**
   * What a piece of work took of servers and database.
   * @param events how many it appends, and to how many readers each goes
   */
  measure(
    work: () => Promise<unknown>,
    events?: { readonly appended: number; readonly readersARun: number },
  ): Promise<Measured>;
  /** How many events the log has of all runs. */
  countEvents(): Promise<number>;
}

/** Starts the processes. */
export async function createStand(
  store: SizingStore,
  runs: number,
  start: typeof startChild,
): Promise<SizingStand> {
  const startServer = (): Child<SizingServer> =>
    start<SizingServer>(new URL("sizing-server.ts", import.meta.url), store.url, String(runs));
  // One behind the other: they make the same runs.
  const appending = startServer();
  const appendPort = await appending.call("listen");
  const streaming = startServer();
  const streamPort = await streaming.call("listen");
  const load = start<SizingLoad>(new URL("sizing-load.ts", import.meta.url));
  const readers = start<Readers>(new URL("readers.ts", import.meta.url));
  let groups: readonly Connect[] = [];

  const readUsages = async () =>
    ({
      appending: await appending.call("usage"),
      streaming: await streaming.call("usage"),
      database: await store.usage(),
    }) as const;
  const sum = (of: (group: Connect) => number): number =>
    groups.reduce((total, group) => total + of(group), 0);

  return {
    async connect(added) {
      const { group, first, runs: count, readersARun } = added;
      const paths = Array.from({ length: count * readersARun }, (_, reader) =>
        streamPath(runIdOf(first + (reader % count))),
      );
      await readers.call("connect", { group, port: streamPort, paths, stalled: false });
      groups = [...groups, added];
    },
    async disconnect() {
      for (const { group } of groups) await readers.call("disconnect", group);
      groups = [];
    },
    residentBytes: () => streaming.call("residentBytes"),
    append: (appends) => load.call("append", { ...appends, port: appendPort }),
    async reach(group, sequence) {
      await readers.call("reach", { group, sequence });
      const { least, greatest, wrong } = await readers.call("received", group);
      if (wrong > 0 || least !== sequence || greatest !== sequence) {
        throw new Error(
          `${group}: ${wrong} events out of order, readers between ${least} and ${greatest} of ${sequence}.`,
        );
      }
    },
    async measure(work, { appended, readersARun } = { appended: 0, readersARun: 0 }) {
      const before = await readUsages();
      await work();
      const after = await readUsages();
      const micros = after.streaming.wallMicros - before.streaming.wallMicros;
      const aSecond = (amount: number): number => (amount / micros) * 1_000_000;
      const commits = aSecond(after.appending.commits - before.appending.commits);
      return {
        load: {
          appends: aSecond(appended),
          commits,
          sharedCommits: aSecond(after.appending.sharedCommits - before.appending.sharedCommits),
          // So few are told of one by one.
          notifications: commits,
          wakes: readersARun === 0 ? 0 : aSecond(appended),
          reads: aSecond(after.streaming.reads - before.streaming.reads),
          deliveries: aSecond(appended * readersARun),
          streams: sum((group) => group.runs * group.readersARun),
          watched: sum((group) => group.runs),
          streamingServers: 1,
        },
        appending: (after.appending.cpuMicros - before.appending.cpuMicros) / micros,
        streaming: (after.streaming.cpuMicros - before.streaming.cpuMicros) / micros,
        database: databaseMicros(before.database, after.database) / micros,
      };
    },
    countEvents: () => appending.call("countEvents"),
  };
}
