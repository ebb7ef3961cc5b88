import { join } from "node:path";
import { type Child, startChild, startChildWith } from "./child.ts";
import type { Readers } from "./readers.ts";
import type { Figure, Report, Scale, Section } from "./report.ts";
import { SERVER_FLAGS } from "./server-flags.ts";
import { STALLED_RUN, type StalledServer, WARM_RUN } from "./stalled-server.ts";
import { streamPath } from "./run-server.ts";
import { withTempFolder } from "./temp-folder.ts";

const MIB = 2 ** 20;
const EVENT_BYTES = 1_024;
const BATCH = 64;
const GROWTH_MIB = 40;

/** What readers that have stopped reading cost the server, and the reader next to them. */
export const stalled: Section = {
  name: "stalled",
  question: "How much does the server's memory grow while 1,000 readers read nothing of 40 MiB?",
  run: measureStalled,
};

/** Resident memory of one server, in MiB. */
interface Memory {
  /** Before the first event. */
  readonly cold: number;
  /** After as much has been appended to another run, which one live reader read: the heap has its working size. */
  readonly warm: number;
  readonly connected: number;
  readonly peak: number;
  /** What the heap and its buffers hold after a garbage collection: before the first event, and at the end. */
  readonly inUseBefore: number;
  readonly inUseAfter: number;
}

async function measureStalled({ quick, rounds }: Scale): Promise<Report> {
  const count = quick ? 20 : 1_000;
  const events = quick ? 640 : 40_960;
  const onSqlite: Memory[] = [];
  const withoutStalled: Memory[] = [];
  const inMemory: Memory[] = [];
  const inFile = (stalledReaders: number): Promise<Memory> =>
    withTempFolder((folder) =>
      holdStalled({ count: stalledReaders, events }, join(folder, "runs.db")),
    );
  for (let round = 0; round < rounds; round++) {
    onSqlite.push(await inFile(count));
    withoutStalled.push(await inFile(0));
    inMemory.push(await holdStalled({ count, events }));
  }
  const logMiB = (events * EVENT_BYTES) / MIB;
  return {
    targets: [
      {
        name: `SQLite, ${count} stalled readers: growth, connected to the peak`,
        unit: "MiB",
        values: onSqlite.map(growthOf),
        bound: GROWTH_MIB,
        kind: "at most",
      },
    ],
    figures: [
      {
        name: `SQLite, ${count} stalled readers: growth, worst round`,
        unit: "MiB",
        values: [Math.max(...onSqlite.map(growthOf))],
      },
      ...memoryFigures(`SQLite, ${count} stalled readers`, onSqlite),
      ...memoryFigures("SQLite, none", withoutStalled),
      ...memoryFigures(`memory store, ${count} stalled readers`, inMemory),
      {
        name: "memory store: growth, connected to the peak, less the log that it keeps",
        unit: "MiB",
        values: inMemory.map((memory) => growthOf(memory) - logMiB),
      },
    ],
    notes: [
      `A live reader next to them had each of ${events} events once and in order, in every round.`,
      "All stalled readers were still connected when the memory was read.",
      `The server runs with ${SERVER_FLAGS.join(" ")}, as \`pnpm start\` has it.`,
      "In use: the heap and its buffers after a garbage collection, which is what the readers hold on to.",
    ],
  };
}

/** What came on top once the readers were connected. */
function growthOf({ connected, peak }: Memory): number {
  return peak - connected;
}

function memoryFigures(subject: string, memories: readonly Memory[]): Figure[] {
  const row = (when: string, value: (memory: Memory) => number): Figure => ({
    name: `${subject}: ${when}`,
    unit: "MiB",
    values: memories.map(value),
  });
  return [
    row("resident before the first event", ({ cold }) => cold),
    row("resident after as much on another run", ({ warm }) => warm),
    row("resident with the readers connected", ({ connected }) => connected),
    row("resident, peak from then on", ({ peak }) => peak),
    row("growth, connected to the peak", growthOf),
    row("growth, before the first event to the peak", ({ cold, peak }) => peak - cold),
    row("in use before the first event", ({ inUseBefore }) => inUseBefore),
    row("in use at the end", ({ inUseAfter }) => inUseAfter),
  ];
}

/** @param file where the SQLite store is; without one, the memory store */
async function holdStalled(
  { count, events }: { readonly count: number; readonly events: number },
  ...file: string[]
): Promise<Memory> {
  const server = startChildWith<StalledServer>(
    SERVER_FLAGS,
    new URL("stalled-ours.ts", import.meta.url),
    ...file,
  );
  const readers = startChild<Readers>(new URL("readers.ts", import.meta.url));
  try {
    const port = await server.call("listen");
    const inUseBefore = await server.call("inUse");
    const cold = await server.call("memory");
    await appendToLive({ server, readers, port, runId: WARM_RUN, events });
    const warm = await server.call("memory");
    await readers.call("connect", {
      group: "stalled",
      port,
      paths: Array<string>(count).fill(streamPath(STALLED_RUN)),
      stalled: true,
    });
    const connected = await server.call("memory");
    await appendToLive({ server, readers, port, runId: STALLED_RUN, events });
    const { peak } = await server.call("memory");
    const inUseAfter = await server.call("inUse");
    const open = await server.call("open");
    if (open !== count + 2)
      throw new Error(`Of ${count} stalled streams and two live, ${open} are open.`);
    return {
      cold: cold.now / MIB,
      warm: warm.now / MIB,
      connected: connected.now / MIB,
      peak: peak / MIB,
      inUseBefore: inUseBefore / MIB,
      inUseAfter: inUseAfter / MIB,
    };
  } finally {
    await Promise.all([server.stop(), readers.stop()]);
  }
}

/** Appends the load to a run, and waits until a live reader of it has had every event. @throws unless in order */
async function appendToLive(scene: {
  readonly server: Child<StalledServer>;
  readonly readers: Child<Readers>;
  readonly port: number;
  readonly runId: string;
  readonly events: number;
}): Promise<void> {
  const { server, readers, port, runId, events } = scene;
  const group = `live reader of ${runId}`;
  await readers.call("connect", { group, port, paths: [streamPath(runId)], stalled: false });
  await server.call("append", { runId, events, batch: BATCH, eventBytes: EVENT_BYTES });
  await readers.call("reach", { group, sequence: events });
  const { wrong } = await readers.call("received", group);
  if (wrong > 0) throw new Error(`${group}: ${wrong} events out of order.`);
}
