import type { startChild } from "./child.ts";
import { joinReports, measureOnEachStore } from "./on-each-store.ts";
import type { ReplayStore } from "./replay-log.ts";
import type { Figure, Report, Scale, Section, Target } from "./report.ts";
import { cpuFigure, cpuMicros, ratios, takeTurns } from "./rounds.ts";
import { STORE_TITLES } from "./store-titles.ts";
import { TOKENS_A_SECOND } from "./tokens-load.ts";
import type { TokenCost, TokenWriter } from "./tokens-subjects.ts";

/** How long tokens wait for each other, in the third subject. */
const WAIT_MS = 250;
/** How many models say something at the same time. */
const MODELS = [1, 100];

/** What a model's tokens cost, each on its own and merged. */
export const tokens: Section = {
  name: "tokens",
  question: `What does a token cost at ${TOKENS_A_SECOND} a second, each as an event and merged?`,
  run: async (scale) => ({
    ...(await measureOnEachStore(["sqlite", "postgres", "redis"], (start, store, location) =>
      measureStore(scale, start, store, location),
    )),
    notes: [
      "The tokens of every run were read again and compared.",
      "CPU is of the process that works on the runs. On Postgres and Redis the server's own is not in it.",
    ],
  }),
};

async function measureStore(
  { quick, rounds }: Scale,
  start: typeof startChild,
  store: ReplayStore,
  location: string,
): Promise<Report> {
  const count = quick ? 10 : 150;
  const module = new URL("tokens-subjects.ts", import.meta.url);
  const writer = start<TokenWriter>(module, "serve", store, location);
  const reports: Report[] = [];
  for (const models of MODELS) {
    const say = (mergeMs: number | null) => () =>
      writer.call("say", { runs: models, tokens: count, mergeMs });
    const costs = await takeTurns<"alone" | "merged" | "waiting", TokenCost>(rounds, {
      alone: say(null),
      merged: say(0),
      waiting: say(WAIT_MS),
    });
    const where = `${STORE_TITLES[store]}, ${models === 1 ? "a lone run" : `${models} runs`}`;
    reports.push({
      targets: [
        cpuTarget(`${where}: merged / each an event`, costs.merged, costs.alone, 1.1),
        cpuTarget(`${where}: merged, ${WAIT_MS} ms / each an event`, costs.waiting, costs.alone, 1),
      ],
      figures: [
        ...figures(`${where}: each an event`, costs.alone),
        ...figures(`${where}: merged`, costs.merged),
        ...figures(`${where}: merged, ${WAIT_MS} ms`, costs.waiting),
      ],
      notes: [],
    });
  }
  await writer.stop();
  return joinReports(reports);
}

function cpuTarget(
  name: string,
  over: readonly TokenCost[],
  under: readonly TokenCost[],
  bound: number,
): Target {
  return {
    name: `${name}, CPU`,
    unit: "×",
    values: ratios(cpuMicros(over), cpuMicros(under)),
    bound,
    kind: "at most",
  };
}

function figures(name: string, costs: readonly TokenCost[]): Figure[] {
  return [
    {
      name: `${name}, events`,
      unit: "/token",
      values: costs.map(({ events, units }) => events / units),
    },
    {
      name: `${name}, stored`,
      unit: "B/token",
      values: costs.map(({ bytes, units }) => bytes / units),
    },
    cpuFigure(name, "token", costs),
  ];
}
