import { type Child, startChild } from "./child.ts";
import type { FanoutServer } from "./fanout-subjects.ts";
import { NCHAN_PATHS, SEQUENCE_FIELD, startNchan } from "./nchan.ts";
import { ID_LINE, type Readers } from "./readers.ts";
import type { Figure, Scale, Section } from "./report.ts";
import { type Cost, costOf, cpuFigure, cpuMicros, ratios, takeTurns } from "./rounds.ts";
import { runIdOf } from "./run-ids.ts";
import { streamPath } from "./tested-server.ts";

const BURST = 10;

/** The subjects, each with the path of its stream. */
const PATHS = {
  ours: streamPath(runIdOf(0)),
  "response.write": "/",
  nchan: NCHAN_PATHS.follow,
} as const;
type SubjectName = keyof typeof PATHS;
/** One event at a time, or ten in one append. */
type Kind = "single" | "burst";
type Turn = `${SubjectName}, ${Kind}`;
type Costs = Readonly<Record<Turn, readonly Cost[]>>;

/** One measurement. */
interface Load {
  readonly readers: number;
  readonly rounds: number;
  /** The number of publishes that a turn has. */
  readonly publishes: Readonly<Record<Kind, number>>;
}

/** The most that ours may cost a delivery, in the cost of another's, with 1,000 readers. */
const BOUNDS: readonly (readonly [ours: Turn, peer: Turn, atMost: number])[] = [
  ["ours, single", "nchan, single", 1],
  ["ours, single", "response.write, single", 0.75],
  ["ours, burst", "nchan, burst", 0.2],
  ["ours, burst", "response.write, single", 0.3],
];

/**
 * Measures the cost of one event for a server that has many live readers on one run. Next to ours: a node:http handler that keeps the
 * responses and writes a shared buffer to each; nchan, which is in C.
 */
export const fanout: Section = {
  name: "fanout",
  question: "What does a delivery to one of 1,000, or of 4,000, live readers cost the server?",
  async run({ quick, rounds }: Scale) {
    if (quick) {
      const { costs, figures } = await measure({
        readers: 20,
        rounds,
        publishes: { single: 3, burst: 2 },
      });
      return [...targetsOf(costs), ...figures];
    }
    const some = await measure({ readers: 1_000, rounds, publishes: { single: 40, burst: 5 } });
    const many = await measure({
      readers: 4_000,
      rounds: Math.min(3, rounds),
      publishes: { single: 10, burst: 2 },
    });
    return [...targetsOf(some.costs), ...some.figures, ...many.figures];
  },
};

async function measure({
  readers: count,
  rounds,
  publishes,
}: Load): Promise<{ readonly costs: Costs; readonly figures: readonly Figure[] }> {
  await using scope = new AsyncDisposableStack();
  const nchanPort = await startNchan(scope);
  const readers = startChild<Readers>(scope, new URL("readers.ts", import.meta.url));
  const names = (Object.keys(PATHS) as SubjectName[]).filter(
    (name) => name !== "nchan" || nchanPort !== null,
  );
  const turns: Partial<Record<Turn, () => Promise<Cost>>> = {};
  for (const name of names) {
    const server = startChild<FanoutServer>(scope, new URL("fanout-subjects.ts", import.meta.url), [
      name,
      String(nchanPort),
    ]);
    const port = await server.call("listen");
    const paths = Array<string>(count).fill(PATHS[name]);
    const mark = name === "nchan" ? SEQUENCE_FIELD : ID_LINE;
    await readers.call("connect", { group: name, port, paths, mark });
    const deliver = (kind: Kind, burst: number) => (): Promise<Cost> =>
      costOf(server, publishes[kind] * burst * count, () =>
        publishInTurn({ server, readers, group: name, burst, publishes: publishes[kind] }),
      );
    turns[`${name}, single`] = deliver("single", 1);
    turns[`${name}, burst`] = deliver("burst", BURST);
  }
  const costs = (await takeTurns(rounds, turns as Record<Turn, () => Promise<Cost>>)) as Costs;
  const figures = Object.entries(costs).map(([turn, of]) =>
    cpuFigure(`${turn}, ${count.toLocaleString("en")} readers`, "delivery", of),
  );
  return { costs, figures };
}

/** One publish at a time: the next is asked for when every reader has had the last. */
async function publishInTurn({
  server,
  readers,
  group,
  burst,
  publishes,
}: {
  readonly server: Child<FanoutServer>;
  readonly readers: Child<Readers>;
  readonly group: string;
  /** The number of events that a publish has. */
  readonly burst: number;
  readonly publishes: number;
}): Promise<void> {
  for (let published = 0; published < publishes; published++) {
    const sequence = await server.call("publish", burst);
    await readers.call("reach", { group, sequence });
  }
}

/** Only of the peers that were measured. */
function targetsOf(costs: Costs): readonly Figure[] {
  return BOUNDS.filter(([, peer]) => peer in costs).map(([ours, peer, atMost]) => ({
    name: `${ours} / ${peer}, CPU`,
    unit: "×",
    values: ratios(cpuMicros(costs[ours]), cpuMicros(costs[peer])),
    atMost,
  }));
}
