import fc from "fast-check";
import { RunEventsError } from "@tm/run-events-core";
import { assert, BrokenClause } from "../assert.ts";
import { describeError } from "../describe-error.ts";
import { requireOrder } from "../races/explain.ts";
import type { RaceOperation } from "../races/operation.ts";
import type { RaceStep } from "../races/race.ts";
import { RaceClient } from "../races/race-client.ts";
import { CANCEL, plainly } from "../races/themes.ts";
import type { Cut, CuttingProxy } from "./cutting-proxy.ts";
import type { Draws } from "./draws.ts";
import { followAcross } from "./follow-across.ts";
import type { ProcessCase, ProcessTrial } from "./process-case.ts";
import { untilAnswered } from "./until-answered.ts";

/** The number of calls that lose their connection besides those that are cut at each chunk of an answer. */
const DRAWN_CUTS = 6;
/** At most this many chunks of a call's answer are each cut once. */
const MOST_CHUNKS = 8;

const tokens = (key: "own" | null): RaceStep => ({
  call: "append",
  requests: [{ runId: "a", eventTypes: ["TOKEN", "TOKEN"], key, expected: null, by: "anybody" }],
});
const CLAIM: RaceStep = { call: "claim", runId: "a", claimKey: "own", length: "long" };
/** Steps after which the run is there again, running and without a lease. */
const AGAIN: readonly RaceStep[] = [
  CANCEL,
  { call: "deleteRun", runId: "a" },
  plainly("a"),
  tokens(null),
];
const READ: RaceStep = { call: "read", queries: [{ runId: "a", from: "start", limit: 1_000 }] };
/** Calls that change nothing. They have no key, and a lost answer leaves nothing in doubt. */
const READS: readonly RaceStep[] = [
  READ,
  { call: "getRun", runId: "a" },
  { call: "listRuns", topic: null, runStatus: null },
  { call: "listDue", due: "leased" },
];
const WRITES: readonly RaceStep[] = [
  plainly("a"),
  { call: "release", runId: "a" },
  { call: "purge", limit: 1 },
  { call: "deleteRun", runId: "a" },
];
/** The points at which calls without a key lose their connections. */
const ONCE_EACH: readonly Cut[] = [
  { at: "answer", after: 0 },
  { at: "request", after: 0 },
];

/** Cases of S7, S13, S20 and S21 in `STORE.md`: connections that break after a request and before its answer. */
export const connectionCases: readonly ProcessCase[] = [
  {
    name: "S7 an append whose connection is lost before its answer has landed as its outcome shows, or is in doubt and lands once under its key",
    run: (trial) => lose(trial, "S7", [tokens("own")], (chunks) => cutsFor(chunks, trial.draws)),
  },
  {
    name: "S21 a claim whose connection is lost before its answer is granted, or in doubt and granted once under its key",
    run: (trial) => lose(trial, "S21", [CLAIM], (chunks) => cutsFor(chunks, trial.draws)),
  },
  {
    name: "S13 a process that reads only when notified sees all that others append, even if it loses its connections",
    run: async (trial) => followAcross(trial, await trial.crew.startProxy()),
  },
  {
    name: "S20 a call whose connection is lost fails with store_unavailable, is retryable, and is answered then",
    run: (trial) => lose(trial, "S20", [...READS, ...WRITES], () => ONCE_EACH),
  },
];

/** Where to cut calls whose answers have this many chunks: once at each chunk, then anywhere. */
function cutsFor(chunks: number, draws: Draws): readonly Cut[] {
  const tried = Math.min(Math.max(1, chunks), MOST_CHUNKS);
  const each = Array.from({ length: tried }, (_, after): Cut => ({ at: "answer", after }));
  const anywhere = fc.record({
    at: fc.constantFrom<Cut["at"][]>("request", "answer"),
    after: fc.nat(tried - 1),
  });
  const size = { minLength: DRAWN_CUTS, maxLength: DRAWN_CUTS };
  return [...each, { at: "request", after: 0 }, ...draws(fc.array(anywhere, size))];
}

/**
 * Makes a call that loses its connection.
 * @throws BrokenClause if it fails with another failure than a driver's. @see clause S20 in `STORE.md`
 */
async function cutting(
  proxy: CuttingProxy,
  cut: Cut,
  client: RaceClient,
  step: RaceStep,
): Promise<void> {
  proxy.plan(cut);
  try {
    await client.step(step);
  } catch (error) {
    const came = `${step.call} failed with its connection, and was answered ${describeError(error)}`;
    const isDrivers = error instanceof RunEventsError && error.code === "store_unavailable";
    const faults = [
      [!isDrivers, "which is not a RunEventsError with store_unavailable"],
      [isDrivers && !error.retryable, "which is not `retryable`"],
      [isDrivers && error.cause === undefined, "without the driver's error as its cause"],
      [isDrivers && error.ambiguous && READS.includes(step), "`ambiguous`, but it changes nothing"],
    ] as const;
    const fault = faults.find(([isFound]) => isFound);
    if (fault !== undefined) throw new BrokenClause("S20", `${came}, ${fault[1]}`);
  } finally {
    proxy.plan(null);
  }
}

/** Makes calls that lose their connections. A call that is in doubt, or has no key, is made once more. */
async function lose(
  { crew }: ProcessTrial,
  clause: string,
  steps: readonly RaceStep[],
  cutsOf: (chunks: number) => readonly Cut[],
): Promise<void> {
  const proxy = await crew.startProxy();
  const [{ store }, other] = await crew.startAll({ proxy });
  let instant = 0;
  const operations: RaceOperation[] = [];
  // A driver may send a call again by itself, as core does.
  const place = { prefix: "", now: () => (instant += 1), operations, mayRepeat: true };
  const client = new RaceClient("1", store, place);
  const witness = new RaceClient("2", other?.store ?? store, { ...place, mayRepeat: false });

  /** Makes the run again as it was at first, and gives the client a connection to lose. */
  async function prepare(): Promise<void> {
    await witness.run(AGAIN);
    await untilAnswered(() => client.step(READ));
  }

  for (const step of steps) {
    // The first call prepares statements.
    await prepare();
    await client.step(step);
    await prepare();
    const before = proxy.answers();
    await client.step(step);
    for (const cut of cutsOf(proxy.answers() - before)) {
      await prepare();
      const made = operations.length;
      await cutting(proxy, cut, client, step);
      const lost = operations[made];
      if (lost?.asked.isKeyed !== true) await untilAnswered(() => client.step(step));
      else if (lost.endedAt === Infinity) await untilAnswered(() => client.make(lost.asked));
      // The same call of another client has the same answer, and the run is as all answers say.
      if (lost?.asked.isKeyed === true) await witness.make(lost.asked);
      await witness.step(READ);
    }
  }
  assert(proxy.answers() > 0, "a process connects to the address that `through` gave");
  requireOrder(clause, operations);
}
