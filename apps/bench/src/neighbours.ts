import { join } from "node:path";
import { type Child, type startChild, withChildren } from "./child.ts";
import {
  FLOOD_KINDS,
  type FloodKind,
  type FloodLoader,
  type NeighboursServer,
  QUIET_OWNERS,
  type QuietLoader,
} from "./neighbours-load.ts";
import type { Figure, Report, Scale, Section, Target } from "./report.ts";
import { ratios, takeTurns } from "./rounds.ts";
import { withTempFolder } from "./temp-folder.ts";

const BOUND = 3;
const MOST_MIB = 200;
const MIB = 1_048_576;
const MILLIS = 3_000;
const QUICK_MILLIS = 300;
const PERCENTILE = 0.99;

/** What one owner who floods a server costs the others on it (clause W49 in `WIRE.md`). */
export const neighbours: Section = {
  name: "neighbours",
  question: `How long do the appends of ${QUIET_OWNERS.length} quiet owners take while another floods the server?`,
  run: (scale) =>
    withTempFolder((folder) => withChildren((start) => measureAll(scale, folder, start))),
};

/** What the quiet owners saw in a round. */
interface Round {
  readonly p99Ms: number;
  readonly p50Ms: number;
  /** Of what the server's main thread worked while an append waited. */
  readonly workP99Ms: number;
  /** The most memory that the server had. */
  readonly peakMib: number;
}

async function measureAll(
  { quick, rounds }: Scale,
  folder: string,
  start: typeof startChild,
): Promise<Report> {
  const millis = quick ? QUICK_MILLIS : MILLIS;
  const targets: Target[] = [];
  const figures: Figure[] = [];
  const notes: string[] = [];
  for (const kind of FLOOD_KINDS) {
    const part = await measureKind(kind, join(folder, `${kind}.db`), millis, rounds, start);
    targets.push(...part.targets);
    figures.push(...part.figures);
    notes.push(part.note);
  }
  return { targets, figures, notes: [...notes, "No append of a quiet owner was refused."] };
}

async function measureKind(
  kind: FloodKind,
  file: string,
  millis: number,
  rounds: number,
  start: typeof startChild,
): Promise<{ readonly targets: Target[]; readonly figures: Figure[]; readonly note: string }> {
  const server = start<NeighboursServer>(new URL("neighbours-server.ts", import.meta.url), file);
  const loaders = new URL("neighbours-loaders.ts", import.meta.url);
  const quiet = start<QuietLoader>(loaders, "quiet");
  const flooder = start<FloodLoader>(loaders, "flood");
  const port = await server.call("listen");
  const measureOnce = (): Promise<Round> => measureRound(server, quiet, { port, millis });
  const statuses: Record<string, number> = {};
  const measured = await takeTurns(rounds, {
    alone: measureOnce,
    flooded: async () => {
      await flooder.call("start", { port, kind });
      const round = await measureOnce();
      for (const [status, count] of Object.entries(await flooder.call("stop")))
        statuses[status] = (statuses[status] ?? 0) + count;
      return round;
    },
  });
  await Promise.all([server.stop(), quiet.stop(), flooder.stop()]);
  const of = (name: "alone" | "flooded", what: keyof Round): readonly number[] =>
    measured[name].map((round) => round[what]);
  const growth = of("flooded", "peakMib").map((peak) => peak - Math.min(...of("alone", "peakMib")));
  const name = FLOOD_NAMES[kind];
  return {
    targets: [
      {
        name: `${name}: quiet owners' append p99 / without`,
        unit: "×",
        values: ratios(of("flooded", "p99Ms"), of("alone", "p99Ms")),
        bound: BOUND,
        kind: "at most",
      },
      {
        name: `${name}: memory that the server takes more`,
        unit: "MiB",
        values: growth,
        bound: MOST_MIB,
        kind: "at most",
      },
    ],
    figures: [
      {
        name: `${name}: quiet owners' append p50 without`,
        unit: "ms",
        values: of("alone", "p50Ms"),
      },
      { name: `${name}: quiet owners' append p50`, unit: "ms", values: of("flooded", "p50Ms") },
      {
        name: `${name}: quiet owners' append p99 without`,
        unit: "ms",
        values: of("alone", "p99Ms"),
      },
      {
        name: `${name}: the server's work while an append waits, p99 without`,
        unit: "ms",
        values: of("alone", "workP99Ms"),
      },
      {
        name: `${name}: the server's work while an append waits, p99`,
        unit: "ms",
        values: of("flooded", "workP99Ms"),
      },
      { name: `${name}: quiet owners' append p99`, unit: "ms", values: of("flooded", "p99Ms") },
    ],
    note: `${name}: the flooder's answers were ${Object.entries(statuses)
      .map(([status, count]) => `${count} × ${status}`)
      .join(", ")}.`,
  };
}

const FLOOD_NAMES: Readonly<Record<FloodKind, string>> = {
  bodies: "bodies of 4 MiB, 32 at once",
  batches: "batches of 1,000 events, 32 at once",
  creates: "creates, 32 at once",
  reads: "pages of 4 MiB, 32 at once",
  uploads: "300 uploads of a line that does not end",
};

async function measureRound(
  server: Child<NeighboursServer>,
  quiet: Child<QuietLoader>,
  load: { readonly port: number; readonly millis: number },
): Promise<Round> {
  await server.call("peak");
  await server.call("worked");
  const tookMs = await quiet.call("append", load);
  return {
    p99Ms: percentile(tookMs, PERCENTILE),
    p50Ms: percentile(tookMs, 0.5),
    workP99Ms: percentile(await server.call("worked"), PERCENTILE),
    peakMib: (await server.call("peak")) / MIB,
  };
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}
