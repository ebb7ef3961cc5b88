import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import {
  FLOODS,
  type FloodKind,
  type FloodLoader,
  type NeighboursServer,
  QUIET_OWNERS,
  type QuietLoader,
} from "./neighbours-load.ts";
import type { Figure, Scale, Section } from "./report.ts";
import { ratios, takeTurns } from "./rounds.ts";
import { createTempFolder } from "./temp-folder.ts";

const MIB = 1_048_576;
const PERCENTILE = 0.99;

/** Measures the cost, to other owners, of one owner who floods the server (clause W49 in `WIRE.md`). */
export const neighbours: Section = {
  name: "neighbours",
  question: `How long do the appends of ${QUIET_OWNERS.length} quiet owners take while another floods the server?`,
  async run(scale, scope) {
    const folder = await createTempFolder(scope);
    const figures: Figure[] = [];
    for (const kind of Object.keys(FLOODS) as FloodKind[])
      figures.push(...(await measureKind(scale, kind, join(folder, `${kind}.db`))));
    return figures;
  },
};

/** The times of the quiet owners in a round. */
interface Round {
  readonly p99Ms: number;
  /** The 99th percentile of the main thread's work while an append waited. */
  readonly workP99Ms: number;
  /** The most memory that the server had. */
  readonly peakMib: number;
}

async function measureKind(
  { quick, rounds }: Scale,
  kind: FloodKind,
  file: string,
): Promise<readonly Figure[]> {
  await using scope = new AsyncDisposableStack();
  const server = startChild<NeighboursServer>(
    scope,
    new URL("neighbours-server.ts", import.meta.url),
    [file],
  );
  const quiet = startChild<QuietLoader>(scope, new URL("neighbours-loaders.ts", import.meta.url), [
    "quiet",
  ]);
  const flooder = startChild<FloodLoader>(
    scope,
    new URL("neighbours-loaders.ts", import.meta.url),
    ["flood"],
  );
  const port = await server.call("listen");
  const measureOnce = (): Promise<Round> =>
    measureRound(server, quiet, { port, millis: quick ? 300 : 3_000 });
  const { alone, flooded } = await takeTurns(rounds, {
    alone: measureOnce,
    async flooded() {
      await flooder.call("start", { port, kind });
      const round = await measureOnce();
      await flooder.call("stop");
      return round;
    },
  });
  const name = FLOODS[kind];
  const of = (what: keyof Round, measured: readonly Round[]): readonly number[] =>
    measured.map((round) => round[what]);
  const least = Math.min(...of("peakMib", alone));
  return [
    {
      name: `${name}: quiet owners' append p99 / without`,
      unit: "×",
      values: ratios(of("p99Ms", flooded), of("p99Ms", alone)),
      atMost: 3,
    },
    {
      name: `${name}: memory that the server takes more`,
      unit: "MiB",
      values: of("peakMib", flooded).map((peak) => peak - least),
      atMost: 200,
    },
    ...(
      [
        ["", flooded],
        [" without", alone],
      ] as const
    ).flatMap(([where, measured]) => [
      {
        name: `${name}: quiet owners' append p99${where}`,
        unit: "ms",
        values: of("p99Ms", measured),
      },
      {
        name: `${name}: the server's work while an append waits, p99${where}`,
        unit: "ms",
        values: of("workP99Ms", measured),
      },
    ]),
  ];
}

async function measureRound(
  server: Child<NeighboursServer>,
  quiet: Child<QuietLoader>,
  load: { readonly port: number; readonly millis: number },
): Promise<Round> {
  await server.call("peak");
  await server.call("worked");
  const tookMs = await quiet.call("append", load);
  return {
    p99Ms: percentile(tookMs),
    workP99Ms: percentile(await server.call("worked")),
    peakMib: (await server.call("peak")) / MIB,
  };
}

function percentile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * PERCENTILE)] ?? Number.NaN;
}
