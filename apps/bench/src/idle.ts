import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { runIdOf } from "./run-ids.ts";
import { type Child, startChild, startChildWith } from "./child.ts";
import type { IdleServer, Memory } from "./idle-subjects.ts";
import type { Readers } from "./readers.ts";
import type { Figure, Report, Scale, Section, Target } from "./report.ts";
import { type Cost, costBetween } from "./rounds.ts";
import { streamPath } from "./run-server.ts";

const KIB = 2 ** 10;
const MOST_KIB = 15;
const MOST_PERCENT = 1;
/** A round takes a minute: most of it is waiting. */
const MOST_ROUNDS = 2;
const HEARTBEAT_MS = 15_000;
/** At least what a heartbeat takes on a connection. */
const HEARTBEAT_BYTES = 80;

/** Node's flags as `pnpm start` gives them to the server: memory is measured as those who run it have it. */
const SERVER_FLAGS: readonly string[] = flagsOf(
  (
    JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
      readonly scripts: { readonly start: string };
    }
  ).scripts.start,
);

/** The flags between `node` and the program. */
function flagsOf(command: string): readonly string[] {
  const words = command.split(" ");
  return words.slice(1, words.indexOf("-C"));
}

const SUBJECTS = {
  each: "a run each",
  one: "one run",
  bare: "bare",
} as const;
type Subject = keyof typeof SUBJECTS;

/** What live streams cost while nothing is appended. */
export const idle: Section = {
  name: "idle",
  question: "What do 10,000 live streams take of a server while nothing is appended?",
  run: measureIdle,
};

/** How much is opened, and how long it is measured, in milliseconds. */
interface Load {
  readonly streams: number;
  /** From the last connection on: so long V8 takes to give back what opening them took. */
  readonly settleMs: number;
  readonly idleMs: number;
}

/** One round of one subject. */
interface Measured {
  /** Before the first connection. */
  readonly before: Memory;
  /** After the last. */
  readonly opened: Memory;
  readonly idle: Memory;
  /** After a garbage collection that only a benchmark has. */
  readonly collected: Memory;
  readonly cost: Cost;
}

async function measureIdle({ quick, rounds }: Scale): Promise<Report> {
  const load: Load = quick
    ? { streams: 200, settleMs: 200, idleMs: 1_000 }
    : { streams: 10_000, settleMs: 35_000, idleMs: 2 * HEARTBEAT_MS };
  const measured: Record<Subject, Measured[]> = { each: [], one: [], bare: [] };
  for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round++) {
    const once = await measureOnce(load);
    for (const { subject, result } of once) measured[subject].push(result);
  }
  const { streams } = load;
  return {
    targets: (["each", "one"] as const).flatMap((subject): Target[] => [
      {
        ...memoryFigure(subject, measured[subject], streams, "resident, idle"),
        bound: MOST_KIB,
        kind: "at most",
      },
      { ...cpuFigure(subject, measured[subject]), bound: MOST_PERCENT, kind: "at most" },
    ]),
    figures: [
      memoryFigure("bare", measured.bare, streams, "resident, idle"),
      cpuFigure("bare", measured.bare),
      ...(["each", "one", "bare"] as const).flatMap((subject) => [
        memoryFigure(subject, measured[subject], streams, "resident, all open"),
        memoryFigure(subject, measured[subject], streams, "resident, collected"),
        memoryFigure(subject, measured[subject], streams, "in use, collected"),
      ]),
    ],
    notes: [
      `${streams} streams on one server, which was there without them before; a stream's part of what came on top.`,
      `Judged is resident memory ${load.settleMs / 1_000 + load.idleMs / 1_000} s after the last connection, with no collection but V8's own.`,
      "Bare keeps its responses and writes one shared buffer to each every 15 s, spread over them: the same heartbeats.",
      "Every stream was still open at the end, and all together had had their heartbeats.",
    ],
  };
}

const MEMORY = {
  "resident, all open": ({ opened, before }: Measured) => opened.resident - before.resident,
  "resident, idle": ({ idle: quiet, before }: Measured) => quiet.resident - before.resident,
  "resident, collected": ({ collected, before }: Measured) => collected.resident - before.resident,
  "in use, collected": ({ collected, before }: Measured) => collected.inUse - before.inUse,
} as const;

function memoryFigure(
  subject: Subject,
  measured: readonly Measured[],
  streams: number,
  what: keyof typeof MEMORY,
): Figure {
  return {
    name: `${SUBJECTS[subject]}: ${what}`,
    unit: "KiB/stream",
    values: measured.map((one) => MEMORY[what](one) / KIB / streams),
  };
}

function cpuFigure(subject: Subject, measured: readonly Measured[]): Figure {
  return {
    name: `${SUBJECTS[subject]}: processor`,
    unit: "% of a core",
    values: measured.map(({ cost }) => (100 * cost.cpuMicros) / cost.wallMicros),
  };
}

interface Scene {
  readonly subject: Subject;
  readonly server: Child<IdleServer>;
  readonly readers: Child<Readers>;
}

/** A server and readers of their own for each subject. They connect in turns, and are then idle at the same time. */
async function measureOnce(
  load: Load,
): Promise<readonly { readonly subject: Subject; readonly result: Measured }[]> {
  const scenes = [sceneOf("each", load), sceneOf("one", load), sceneOf("bare", load)];
  try {
    const opened = [];
    for (const scene of scenes) opened.push({ scene, ...(await open(scene, load)) });
    await sleep(load.settleMs);
    return await Promise.all(
      opened.map(async ({ scene, ...memory }) => ({
        subject: scene.subject,
        result: { ...memory, ...(await measureScene(scene, load)) },
      })),
    );
  } finally {
    await Promise.all(scenes.flatMap(({ server, readers }) => [server.stop(), readers.stop()]));
  }
}

function sceneOf(subject: Subject, { streams }: Load): Scene {
  const runs = subject === "each" ? streams : 1;
  return {
    subject,
    server: startChildWith(
      SERVER_FLAGS,
      new URL("idle-subjects.ts", import.meta.url),
      subject === "bare" ? "bare" : "ours",
      String(runs),
    ),
    readers: startChild(new URL("readers.ts", import.meta.url)),
  };
}

async function open(
  { subject, server, readers }: Scene,
  { streams }: Load,
): Promise<Pick<Measured, "before" | "opened">> {
  const port = await server.call("listen");
  await server.call("collect");
  const before = await server.call("memory");
  const paths = Array.from({ length: streams }, (_, index) =>
    streamPath(runIdOf(subject === "each" ? index : 0)),
  );
  await readers.call("connect", { group: subject, port, paths });
  return { before, opened: await server.call("memory") };
}

/** @throws unless every stream stayed open and had its heartbeats */
async function measureScene(
  { subject, server, readers }: Scene,
  { streams, idleMs }: Load,
): Promise<Pick<Measured, "idle" | "collected" | "cost">> {
  const had = await readers.call("received", subject);
  const from = await server.call("usage");
  await sleep(idleMs);
  const cost = costBetween(from, await server.call("usage"), 1);
  const idleMemory = await server.call("memory");
  const has = await readers.call("received", subject);
  const heartbeats = Math.floor(idleMs / HEARTBEAT_MS);
  const open = await server.call("open");
  if (open !== streams || has.open !== streams)
    throw new Error(`${subject}: of ${streams} streams ${open} are open.`);
  // Of a stream whose heartbeats fall on both ends of the time one is outside.
  if (has.bytes - had.bytes < streams * (heartbeats - 0.5) * HEARTBEAT_BYTES)
    throw new Error(`${subject}: too few heartbeats arrived.`);
  await server.call("collect");
  return { idle: idleMemory, collected: await server.call("memory"), cost };
}
