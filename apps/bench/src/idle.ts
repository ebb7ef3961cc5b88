import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Child, startChild } from "./child.ts";
import type { IdleServer } from "./idle-subject.ts";
import type { Readers } from "./readers.ts";
import type { Figure, Section } from "./report.ts";
import { type Cost, costOf } from "./rounds.ts";
import { runIdOf } from "./run-ids.ts";
import { streamPath } from "./tested-server.ts";

const KIB = 2 ** 10;
/** A round takes a minute: most of it is waiting. */
const MOST_ROUNDS = 2;
const HEARTBEAT_MS = 15_000;
/** A lower bound on the bytes of one heartbeat. */
const HEARTBEAT_BYTES = 80;

/** Where the streams are: on a run each, or all on one. */
const SUBJECTS = ["a run each", "one run"] as const;
type Subject = (typeof SUBJECTS)[number];

/** Measures the cost of live streams while nothing is appended. */
export const idle: Section = {
  name: "idle",
  question: "What do 10,000 live streams take of a server while nothing is appended?",
  async run({ quick, rounds }) {
    const load: Load = quick
      ? { streams: 200, settleMs: 200, idleMs: 1_000 }
      : { streams: 10_000, settleMs: 35_000, idleMs: 2 * HEARTBEAT_MS };
    const measured: Record<Subject, Measured[]> = { "a run each": [], "one run": [] };
    for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round++) {
      const [each, one] = await measureOnce(load);
      measured["a run each"].push(each);
      measured["one run"].push(one);
    }
    return SUBJECTS.flatMap((subject) => figuresOf(subject, measured[subject], load.streams));
  },
};

/** The number of streams, and the times of the measurement, in milliseconds. */
interface Load {
  readonly streams: number;
  /** The wait after the last connection, in which V8 frees what opening them used. */
  readonly settleMs: number;
  readonly idleMs: number;
}

/** One round of one subject. */
interface Measured {
  /** The server's memory beyond that before the first connection, in bytes: after the last one, and at the end. */
  readonly openedBytes: number;
  readonly idleBytes: number;
  readonly cost: Cost;
}

function figuresOf(
  subject: Subject,
  measured: readonly Measured[],
  streams: number,
): readonly Figure[] {
  const memory = (bytesOf: (one: Measured) => number): Pick<Figure, "unit" | "values"> => ({
    unit: "KiB/stream",
    values: measured.map((one) => bytesOf(one) / KIB / streams),
  });
  return [
    { name: `${subject}: resident, idle`, ...memory((one) => one.idleBytes), atMost: 15 },
    { name: `${subject}: resident, all open`, ...memory((one) => one.openedBytes) },
    {
      name: `${subject}: processor`,
      unit: "% of a core",
      values: measured.map(({ cost }) => (100 * cost.cpuMicros) / cost.wallMicros),
      atMost: 1,
    },
  ];
}

interface Scene {
  readonly server: Child<IdleServer>;
  readonly readers: Child<Readers>;
  readonly before: number;
  readonly opened: number;
}

/** A server and readers of their own for each subject. They connect in turns, and are then idle at the same time. */
async function measureOnce(load: Load): Promise<readonly [each: Measured, one: Measured]> {
  await using scope = new AsyncDisposableStack();
  const each = await open(scope, load, load.streams);
  const one = await open(scope, load, 1);
  await sleep(load.settleMs);
  return await Promise.all([measureScene(each, load), measureScene(one, load)]);
}

async function open(scope: AsyncDisposableStack, { streams }: Load, runs: number): Promise<Scene> {
  const server = startChild<IdleServer>(
    scope,
    new URL("idle-subject.ts", import.meta.url),
    [String(runs)],
    serverFlags(),
  );
  const readers = startChild<Readers>(scope, new URL("readers.ts", import.meta.url));
  const port = await server.call("listen");
  await server.call("collect");
  const before = await server.call("memory");
  const paths = Array.from({ length: streams }, (_, at) => streamPath(runIdOf(at % runs)));
  await readers.call("connect", { group: "all", port, paths });
  return { server, readers, before, opened: await server.call("memory") };
}

/** @throws unless every stream stayed open and had its heartbeats */
async function measureScene(
  { server, readers, before, opened }: Scene,
  { streams, idleMs }: Load,
): Promise<Measured> {
  const had = await readers.call("received", "all");
  const cost = await costOf(server, 1, () => sleep(idleMs));
  const idleBytes = (await server.call("memory")) - before;
  const has = await readers.call("received", "all");
  if (has.open !== streams) throw new Error(`Of ${streams} streams ${has.open} are open.`);
  // A stream whose heartbeats land on both edges of the window is counted one short.
  const heartbeats = Math.floor(idleMs / HEARTBEAT_MS) - 0.5;
  if (has.bytes - had.bytes < streams * heartbeats * HEARTBEAT_BYTES)
    throw new Error("Too few heartbeats arrived.");
  return { openedBytes: opened - before, idleBytes, cost };
}

/** Node's flags as `pnpm start` gives them to the server: memory is measured as those who run it have it. */
function serverFlags(): readonly string[] {
  const { scripts } = JSON.parse(
    readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
  ) as { readonly scripts: { readonly start: string } };
  const words = scripts.start.split(" ");
  return words.slice(1, words.indexOf("-C"));
}
