import { type PostgresServer, startPostgres } from "@tm/run-events-test-servers";
import { runIdOf } from "./append-writer.ts";
import type { Child, startChild } from "./child.ts";
import type { ManyRunsServer } from "./many-runs-server.ts";
import type { ManyRunsWriter } from "./many-runs-writer.ts";
import { countCommits } from "./postgres-commits.ts";
import { describePostgres } from "./postgres-log.ts";
import type { Readers } from "./readers.ts";
import type { Figure, Report, Scale, Section } from "./report.ts";
import { ratios, takeTurns } from "./rounds.ts";
import { streamPath } from "./run-server.ts";
import { withServer } from "./with-server.ts";

const EVENTS_A_SECOND = 2_000;
/** The wakes of a window go out as one query: 200 a second, and a tenth for what a server asks by the clock. */
const MOST_QUERIES = 220;
/** By how much ten times the runs may change that. */
const MOST_GROWTH = 1.2;
/** How many processes may append at once. */
const WRITERS = 4;
/** The part of the commits that may be the connections' own, and autovacuum's. */
const MOST_UNACCOUNTED = 0.05;

/** What the live readers of many runs cost the database. */
export const manyRuns: Section = {
  name: "many-runs",
  question: `How many queries does a server send while other processes append ${EVENTS_A_SECOND} events a second to runs with a live reader each?`,
  run: (scale) =>
    withServer(startPostgres(), (postgres, start) => measureQueries(scale, postgres, start)),
};

/** So many runs with a reader each, in a database of their own. */
interface Subject {
  readonly runs: number;
  readonly url: string;
  readonly server: Child<ManyRunsServer>;
  readonly writers: readonly Child<ManyRunsWriter>[];
  /** Of every run. */
  lastSequence: number;
}

/** What a server did in a second. */
type Rates = Readonly<Record<"queries" | "reads" | "runsRead" | "wakes", number>>;

async function measureQueries(
  { quick, rounds }: Scale,
  postgres: PostgresServer,
  start: typeof startChild,
): Promise<Report> {
  const seconds = quick ? 1 : 4;
  const readers = start<Readers>(new URL("readers.ts", import.meta.url));
  const open = async (runs: number, writerCount: number): Promise<Subject> => {
    const url = await postgres.createDatabase();
    const server = start<ManyRunsServer>(
      new URL("many-runs-server.ts", import.meta.url),
      url,
      String(runs),
    );
    const port = await server.call("listen");
    const paths = Array.from({ length: runs }, (_, index) => streamPath(runIdOf(index)));
    await readers.call("connect", { group: String(runs), port, paths, stalled: false });
    const writers = Array.from({ length: writerCount }, () =>
      start<ManyRunsWriter>(new URL("many-runs-writer.ts", import.meta.url), url),
    );
    return { runs, url, server, writers, lastSequence: 0 };
  };
  const subjects = {
    few: await open(quick ? 10 : 100, 1),
    many: await open(quick ? 100 : 1_000, WRITERS),
  };
  const measure = (subject: Subject, writerCount: number) => (): Promise<Rates> =>
    measureRates(subject, readers, { seconds, writerCount });
  const rates = await takeTurns(rounds, {
    few: measure(subjects.few, 1),
    many: measure(subjects.many, 1),
    manyWriters: measure(subjects.many, WRITERS),
  });
  const notes = [
    await describePostgres(postgres.url),
    "Every reader had each event once and in order.",
    await checkQueries(subjects.few, postgres.url),
    await checkQueries(subjects.many, postgres.url),
  ];
  const few = `${subjects.few.runs} runs`;
  const many = `${subjects.many.runs} runs`;
  const queriesOf = (of: readonly Rates[]): readonly number[] => of.map(({ queries }) => queries);
  return {
    targets: [
      {
        name: `${few}: queries a second`,
        unit: "",
        values: queriesOf(rates.few),
        bound: MOST_QUERIES,
        kind: "at most",
      },
      {
        name: `${many}: queries a second`,
        unit: "",
        values: queriesOf(rates.many),
        bound: MOST_QUERIES,
        kind: "at most",
      },
      {
        name: `${many} / ${few}, queries a second`,
        unit: "×",
        values: ratios(queriesOf(rates.many), queriesOf(rates.few)),
        bound: MOST_GROWTH,
        kind: "at most",
      },
    ],
    figures: [
      ...rateFigures(few, rates.few),
      ...rateFigures(many, rates.many),
      ...rateFigures(`${many}, ${WRITERS} appending processes`, rates.manyWriters),
    ],
    notes,
  };
}

/** One round: the load, until every reader has it. */
async function measureRates(
  subject: Subject,
  readers: Child<Readers>,
  { seconds, writerCount }: { readonly seconds: number; readonly writerCount: number },
): Promise<Rates> {
  const { runs, server } = subject;
  const writers = subject.writers.slice(0, writerCount);
  const events = EVENTS_A_SECOND * seconds;
  const sequence = subject.lastSequence + events / runs;
  subject.lastSequence = sequence;
  const before = await server.call("counts");
  const beganAt = performance.now();
  await Promise.all(
    writers.map((writer) =>
      writer.call("write", {
        runs,
        events: events / writerCount,
        eventsASecond: EVENTS_A_SECOND / writerCount,
      }),
    ),
  );
  await readers.call("reach", { group: String(runs), sequence });
  const elapsedMs = performance.now() - beganAt;
  const after = await server.call("counts");
  const { least, greatest, wrong } = await readers.call("received", String(runs));
  if (wrong > 0 || least !== sequence || greatest !== sequence) {
    throw new Error(
      `${wrong} events out of order, readers between ${least} and ${greatest} of ${sequence}.`,
    );
  }
  const rate = (name: keyof Rates): number => ((after[name] - before[name]) / elapsedMs) * 1_000;
  return {
    queries: rate("queries"),
    reads: rate("reads"),
    runsRead: rate("runsRead"),
    wakes: rate("wakes"),
  };
}

function rateFigures(name: string, rates: readonly Rates[]): readonly Figure[] {
  const figure = (what: string, rate: keyof Rates): Figure => ({
    name: `${name}: ${what}`,
    unit: "a second",
    values: rates.map((of) => of[rate]),
  });
  return [
    figure("queries", "queries"),
    figure("queries that read events", "reads"),
    figure("runs read by them", "runsRead"),
    figure("one query a run and wake would be", "wakes"),
  ];
}

/**
 * Holds what the processes say they have sent against what Postgres says it has committed, and ends the processes. The
 * connection of each of them that listens also commits when it takes in notifications, one or several.
 * @throws unless the one accounts for the other
 */
async function checkQueries(
  { runs, url, server, writers }: Subject,
  admin: string,
): Promise<string> {
  const counts = [
    await server.call("counts"),
    ...(await Promise.all(writers.map((writer) => writer.call("counts")))),
  ];
  await Promise.all([server, ...writers].map((child) => child.stop()));
  const queries = counts.reduce((sum, count) => sum + count.queries, 0);
  const notifies = counts.reduce((sum, count) => sum + count.notifies, 0);
  const committed = await countCommits(new URL(url).pathname.slice(1), admin);
  const account = `${runs} runs: the processes sent ${queries} queries, ${notifies} of them to notify ${counts.length} that listen; Postgres committed ${committed} transactions.`;
  const most = (queries + counts.length * notifies) * (1 + MOST_UNACCOUNTED);
  if (committed < queries || committed > most) throw new Error(account);
  return account;
}
