import type { Child } from "./child.ts";
import { SUBJECT_NAMES, type SubjectName, withAudience } from "./fanout-audience.ts";
import type { FanoutServer } from "./fanout-subjects.ts";
import type { Readers } from "./readers.ts";
import type { Report, Scale, Section, Target } from "./report.ts";
import { type Cost, costBetween, cpuMicros, ratios, takeTurns } from "./rounds.ts";

const BURST = 10;

/** A turn's kind of publish: one event, or ten in one append. */
type Kind = "single" | "burst";
type Turn = `${SubjectName}, ${Kind}`;
type Costs = Readonly<Record<Turn, readonly Cost[]>>;

/** What is measured in one go. */
interface Load {
  readonly subjects: readonly SubjectName[];
  readonly readers: number;
  readonly rounds: number;
  /** How many publishes a turn has. */
  readonly publishes: Readonly<Record<Kind, number>>;
}

/** The most that ours may cost a delivery, in the cost of another's, with 1,000 readers. */
const BOUNDS: readonly (readonly [ours: Kind, peer: SubjectName, peers: Kind, bound: number])[] = [
  ["single", "nchan", "single", 1],
  ["single", "response.write", "single", 0.75],
  ["burst", "nchan", "burst", 0.2],
  ["burst", "response.write", "single", 0.3],
];

/**
 * What one event costs a server that has many live readers on one run. Next to ours: a node:http handler that keeps the
 * responses and writes a shared buffer to each; the same with their sockets, which shows the limit; nchan, which is in C.
 */
export const fanout: Section = {
  name: "fanout",
  question: "What does a delivery to one of 1,000, or of 4,000, live readers cost the server?",
  run: measureFanout,
};

async function measureFanout({ quick, rounds }: Scale): Promise<Report> {
  if (quick) {
    const publishes = { single: 3, burst: 2 };
    return measureLoad({ subjects: SUBJECT_NAMES, readers: 20, rounds, publishes });
  }
  const report = await measureLoad({
    subjects: SUBJECT_NAMES,
    readers: 1_000,
    rounds,
    publishes: { single: 40, burst: 5 },
  });
  const many = await measureLoad({
    subjects: SUBJECT_NAMES.filter((name) => name !== "socket.write"),
    readers: 4_000,
    rounds: Math.min(3, rounds),
    publishes: { single: 10, burst: 2 },
  });
  return {
    targets: report.targets,
    figures: [...report.figures, ...many.figures],
    notes: [...report.notes, ...many.notes],
  };
}

async function measureLoad(load: Load): Promise<Report> {
  const { subjects, readers: count, rounds, publishes } = load;
  return withAudience(subjects, count, async ({ servers, readers }) => {
    const turns = [...servers].flatMap(([name, server]) =>
      (["single", "burst"] as const).map((kind) => {
        const burst = kind === "single" ? 1 : BURST;
        const measure = (): Promise<Cost> =>
          measureDeliveries(server, readers, {
            group: name,
            count,
            burst,
            publishes: publishes[kind],
          });
        return [`${name}, ${kind}`, measure] as const;
      }),
    );
    const costs = (await takeTurns(rounds, Object.fromEntries(turns))) as Costs;
    return {
      targets: targetsOf(costs),
      figures: Object.entries(costs).map(([turn, of]) => ({
        name: `${turn}, ${count.toLocaleString("en")} readers, CPU`,
        unit: "µs/delivery",
        values: cpuMicros(of),
      })),
      notes: await Promise.all(subjects.map((name) => verifyDeliveries(readers, name))),
    };
  });
}

/** Only of the peers that were measured. */
function targetsOf(costs: Costs): readonly Target[] {
  return BOUNDS.filter(([, peer]) => `${peer}, single` in costs).map(
    ([ours, peer, peers, bound]) => ({
      name: `ours, ${ours} / ${peer}, ${peers}, CPU`,
      unit: "×",
      values: ratios(cpuMicros(costs[`ours, ${ours}`]), cpuMicros(costs[`${peer}, ${peers}`])),
      bound,
      kind: "at most",
    }),
  );
}

/** One publish at a time: the next is asked for when every reader has had the last. */
async function measureDeliveries(
  server: Child<FanoutServer>,
  readers: Child<Readers>,
  load: {
    readonly group: string;
    /** How many readers it has. */
    readonly count: number;
    /** How many events a publish has. */
    readonly burst: number;
    readonly publishes: number;
  },
): Promise<Cost> {
  const { group, count, burst, publishes } = load;
  const before = await server.call("usage");
  for (let published = 0; published < publishes; published++) {
    const sequence = await server.call("publish", burst);
    await readers.call("reach", { group, sequence });
  }
  return costBetween(before, await server.call("usage"), publishes * burst * count);
}

/**
 * Says what a group's readers have had.
 * @throws unless every one has had every event once and in order.
 */
async function verifyDeliveries(readers: Child<Readers>, group: string): Promise<string> {
  const { bytes, least, greatest, wrong, open } = await readers.call("received", group);
  if (wrong > 0 || least !== greatest) {
    throw new Error(
      `${group}: ${wrong} events out of order, readers between ${least} and ${greatest}.`,
    );
  }
  return `${group}: ${open} readers had each of ${greatest} events once and in order, ${bytes} bytes.`;
}
