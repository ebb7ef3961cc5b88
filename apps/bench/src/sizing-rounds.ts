import { setTimeout } from "node:timers/promises";
import { runIdOf } from "./append-writer.ts";
import type { Child, startChild } from "./child.ts";
import { databaseMicros, type DatabaseUsage } from "./database-usage.ts";
import type { Readers } from "./readers.ts";
import type { Scale } from "./report.ts";
import { costBetween, takeTurns } from "./rounds.ts";
import { streamPath } from "./run-server.ts";
import type { SizingLoad } from "./sizing-load.ts";
import type { UnitCosts } from "./sizing-model.ts";
import type { SizingServer } from "./sizing-server.ts";
import type { Measured } from "./sizing-solve.ts";

const ROUNDS = 3;

/** A database, and how to ask it what it has done. */
export interface SizingStore {
  readonly url: string;
  usage(): Promise<DatabaseUsage>;
}

/** How much is appended, and to how many readers: an event goes to each reader of its run. */
interface Mix {
  readonly readersARun: number;
  readonly eventsASecond: number;
}

/** Each on runs of its own: three to take the costs from, two to hold against what these add up to. */
const MIXES: Readonly<Record<MixName, Mix>> = {
  unread: { readersARun: 0, eventsASecond: 1_000 },
  single: { readersARun: 1, eventsASecond: 1_000 },
  many: { readersARun: 10, eventsASecond: 1_000 },
  slower: { readersARun: 3, eventsASecond: 600 },
  faster: { readersARun: 5, eventsASecond: 1_400 },
};

/** A load by its name. */
type MixName = "unread" | "single" | "many" | "slower" | "faster";

/** What was measured of one store. */
export interface SizingRounds {
  readonly mixes: Readonly<Record<MixName, readonly Measured[]>>;
  /** What the streams take while nothing is sent to them. */
  readonly idle: Pick<UnitCosts, "stream" | "streamBytes">;
}

/** Puts each load on two servers that share a store, one to append to by HTTP, the other to read from. */
export async function measureMixes(
  { quick, rounds }: Scale,
  store: SizingStore,
  start: typeof startChild,
): Promise<SizingRounds> {
  const runs = quick ? 10 : 100;
  const seconds = quick ? 0.3 : 4;
  const names = Object.keys(MIXES) as MixName[];
  const startServer = (): Child<SizingServer> => {
    const module = new URL("sizing-server.ts", import.meta.url);
    return start<SizingServer>(module, store.url, String(runs * names.length));
  };
  // One behind the other: they make the same runs.
  const appending = startServer();
  const appendPort = await appending.call("listen");
  const streaming = startServer();
  const streamPort = await streaming.call("listen");
  const load = start<SizingLoad>(new URL("sizing-load.ts", import.meta.url));
  const readers = start<Readers>(new URL("readers.ts", import.meta.url));

  const bytesBefore = await streaming.call("residentBytes");
  let streams = 0;
  for (const [index, name] of names.entries()) {
    const count = runs * MIXES[name].readersARun;
    const paths = Array.from({ length: count }, (_, reader) =>
      streamPath(runIdOf(index * runs + (reader % runs))),
    );
    await readers.call("connect", { group: name, port: streamPort, paths, stalled: false });
    streams += count;
  }
  const streamBytes = ((await streaming.call("residentBytes")) - bytesBefore) / streams;

  const usages = async () =>
    ({
      appending: await appending.call("usage"),
      streaming: await streaming.call("usage"),
      database: await store.usage(),
    }) as const;
  const lastSequences = new Map<MixName, number>();
  let acknowledged = 0;

  async function measure(name: MixName): Promise<Measured> {
    const { readersARun, eventsASecond } = MIXES[name];
    const eventsARun = Math.ceil((eventsASecond * seconds) / runs);
    const events = eventsARun * runs;
    const sequence = (lastSequences.get(name) ?? 0) + eventsARun;
    lastSequences.set(name, sequence);
    const first = names.indexOf(name) * runs;
    const before = await usages();
    await load.call("append", { port: appendPort, first, runs, events, eventsASecond });
    acknowledged += events;
    await readers.call("reach", { group: name, sequence });
    const after = await usages();
    await checkReaders(readers, name, readersARun === 0 ? 0 : sequence);
    const micros = after.streaming.wallMicros - before.streaming.wallMicros;
    const aSecond = (count: number): number => (count / micros) * 1_000_000;
    const cores = (part: "appending" | "streaming"): number =>
      (after[part].cpuMicros - before[part].cpuMicros) / micros;
    return {
      load: {
        appends: aSecond(events),
        wakes: readersARun === 0 ? 0 : aSecond(events),
        deliveries: aSecond(events * readersARun),
        streams,
        streamingServers: 1,
      },
      appending: cores("appending"),
      streaming: cores("streaming"),
      database: databaseMicros(before.database, after.database) / micros,
      bytesAnEvent: (after.database.bytes - before.database.bytes) / events,
    };
  }

  const mixes = await takeTurns(Math.min(rounds, ROUNDS), {
    unread: () => measure("unread"),
    single: () => measure("single"),
    many: () => measure("many"),
    slower: () => measure("slower"),
    faster: () => measure("faster"),
  });
  const logged = await appending.call("countEvents");
  if (logged !== acknowledged) {
    throw new Error(`Of ${acknowledged} acknowledged events the log holds ${logged}.`);
  }
  const before = await streaming.call("usage");
  await setTimeout(4_000 * seconds);
  const idle = costBetween(before, await streaming.call("usage"), streams);
  const stream = (idle.cpuMicros / idle.wallMicros / streams) * 1_000_000;
  return { mixes, idle: { stream, streamBytes } };
}

/** @throws unless every reader has had every event once and in order. */
async function checkReaders(
  readers: Child<Readers>,
  group: MixName,
  sequence: number,
): Promise<void> {
  if (sequence === 0) return;
  const { least, greatest, wrong } = await readers.call("received", group);
  if (wrong > 0 || least !== sequence || greatest !== sequence) {
    throw new Error(
      `${group}: ${wrong} events out of order, readers between ${least} and ${greatest} of ${sequence}.`,
    );
  }
}
