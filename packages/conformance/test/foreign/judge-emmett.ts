import { startPostgres } from "@tm/run-events-test-servers";
import { createEmmettDoors } from "./emmett-doors.ts";
import { type ClauseVerdict, judgeStore } from "./kit-verdicts.ts";

/** The verdicts of the kit on Emmett. */
export interface EmmettVerdicts {
  /** Of every clause. */
  readonly asItIs: readonly ClauseVerdict[];
  /** Of the broken ones, for a caller who reads again and tries again after a conflict. */
  readonly triedAgain: readonly ClauseVerdict[];
  /** The cases that are kept or broken by chance, and decide nothing. */
  readonly byChance: readonly string[];
}

const BY_CHANCE_AGAIN = [
  // An append that expects nothing is judged by an earlier read: the run's end may come in between.
  "S4 a run ends once under appends that race, and nothing lands after its end",
  // A program ends at a lease, which is missing, or before it at what is broken.
  "S4 one order of the appends explains every answer of programs that run at once",
];
const BY_CHANCE = [
  ...BY_CHANCE_AGAIN,
  // A program ends at a call that is missing, or before it at a payload that comes back otherwise.
  "S5 the store answers any program of calls as the model does",
];

/** Runs the kit on Emmett, on a Postgres of its own. */
export async function judgeEmmett(): Promise<EmmettVerdicts> {
  const server = await startPostgres();
  const tried = { name: "Emmett", missing: "Emmett has no " };
  try {
    const asItIs = await judgeStore({
      ...tried,
      ...createEmmettDoors(server.url, false),
      byChance: BY_CHANCE,
    });
    const broken = asItIs.filter(({ verdict }) => verdict === "broken");
    const triedAgain = await judgeStore({
      ...tried,
      ...createEmmettDoors(server.url, true),
      byChance: BY_CHANCE_AGAIN,
      clauses: broken.map(({ clause }) => clause),
    });
    return { asItIs, triedAgain, byChance: BY_CHANCE };
  } finally {
    await server.close();
  }
}
