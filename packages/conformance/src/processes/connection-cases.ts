import { RunEventsError } from "@tm/run-events-core";
import type { StoredEvent } from "@tm/run-events-core/store";
import { append, event, events } from "../append-request.ts";
import { assert, assertEqual, BrokenClause, isSame, show } from "../assert.ts";
import type { AppendOutcome, LeaseOutcome } from "../core-calls.ts";
import { describeError } from "../describe-error.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import { claim, LONG_MS } from "../lease.ts";
import { nextTurn } from "../next-turn.ts";
import { createRun, readLog, readRun } from "../read-log.ts";
import type { Cut, CuttingProxy } from "./cutting-proxy.ts";
import type { Draws } from "./draws.ts";
import { Follower } from "./follower.ts";
import type { ProcessCase, ProcessTrial } from "./process-case.ts";
import { untilAnswered } from "./until-answered.ts";

/** How many calls lose their connection besides those that are cut at each chunk of an answer. */
const DRAWN_CUTS = 6;
/** At most this many chunks of a call's answer are each cut once. */
const MOST_CHUNKS = 8;
/** How often the connections of a follower are lost. */
const FOLLOWED_CUTS = 4;

const ASKED = "asked";
const ALL = { ownerId: OWNER, runStatus: null, before: null, limit: 10 };

type Call = (store: KitStore) => Promise<unknown>;

/** Calls that change nothing: losing their answer leaves nothing in doubt. */
const READS: Readonly<Record<string, Call>> = {
  read: (store) => readRun(store, ASKED),
  getRun: (store) => store.getRun(ASKED),
  listRuns: (store) => store.listRuns(ALL),
  listDue: (store) => store.listDue({ due: "leased", forMs: 0, limit: 10 }),
};
const WRITES: Readonly<Record<string, Call>> = {
  createRun: (store) => store.createRun({ runId: ASKED, ownerId: OWNER, metadata: "null" }),
  release: (store) => store.release({ runId: ASKED, fence: 1 }),
  probe: (store) => store.probe(),
  purge: (store) => store.purge({ finishedForMs: 0, limit: 10 }),
  deleteRun: (store) => store.deleteRun(ASKED),
};

/** Cases of S7, S13, S20 and S21 in `STORE.md`: connections that break after a request and before its answer. */
export const connectionCases: readonly ProcessCase[] = [
  {
    name: "S7 an append whose connection is lost before its answer has landed as its outcome shows, or is in doubt and lands once under its key",
    run: loseAppends,
  },
  {
    name: "S21 a claim whose connection is lost before its answer is granted, or in doubt and granted once under its key",
    run: loseClaims,
  },
  {
    name: "S13 a process that reads only when notified sees all that others append, even if it loses its connections",
    run: followThroughLosses,
  },
  {
    name: "S20 a call whose connection is lost fails with store_unavailable, is retryable, and is answered then",
    run: loseCalls,
  },
];

/** A store behind a proxy, and one of another process, which loses nothing. */
async function startLine({ crew }: ProcessTrial): Promise<{
  readonly proxy: CuttingProxy;
  readonly store: KitStore;
  readonly witness: KitStore;
}> {
  const proxy = await crew.startProxy();
  const [one, other] = await Promise.all([crew.start({ proxy }), crew.start()]);
  return { proxy, store: one.store, witness: other.store };
}

/** Where to cut calls whose answers have this many chunks: once at each chunk, then anywhere. */
function cutsFor(chunks: number, { fraction }: Draws): readonly Cut[] {
  const tried = Math.min(Math.max(1, chunks), MOST_CHUNKS);
  const each = Array.from({ length: tried }, (_, after): Cut => ({ at: "answer", after }));
  const drawn = Array.from({ length: DRAWN_CUTS }, (): Cut => ({
    at: fraction() < 0.5 ? "request" : "answer",
    after: Math.floor(fraction() * tried),
  }));
  return [...each, { at: "request", after: 0 }, ...drawn];
}

/** How many chunks an uncut call's answer has. */
async function chunksOf(proxy: CuttingProxy, ask: () => Promise<unknown>): Promise<number> {
  const before = proxy.answers();
  await ask();
  return proxy.answers() - before;
}

/** @throws Error if hardly any connection broke: then nothing was tested */
function checkCuts(proxy: CuttingProxy): void {
  assert(
    proxy.cuts() > 0,
    "a process connects to the address that `through` gave: no connection was lost, so nothing was tried",
  );
}

/**
 * Makes a call that loses its connection.
 * @returns its answer, or its failure
 * @throws BrokenClause unless a failure is one of a driver. @see clause S20 in `STORE.md`
 */
async function cutting<Answer>(
  proxy: CuttingProxy,
  cut: Cut,
  what: string,
  ask: () => Promise<Answer>,
): Promise<Answer | RunEventsError> {
  proxy.plan(cut);
  try {
    return await ask();
  } catch (error) {
    const came = `${what} failed with its connection, and was answered ${describeError(error)}`;
    if (!(error instanceof RunEventsError) || error.code !== "store_unavailable") {
      const why = `${came}, which is not a RunEventsError with store_unavailable`;
      throw new BrokenClause("S20", why);
    }
    if (!error.retryable) throw new BrokenClause("S20", `${came}, which is not \`retryable\``);
    if (error.cause === undefined) {
      throw new BrokenClause("S20", `${came}, without the driver's error as its cause`);
    }
    return error;
  } finally {
    proxy.plan(null);
  }
}

async function loseAppends(trial: ProcessTrial): Promise<void> {
  const { proxy, store, witness } = await startLine(trial);
  const runId = "lost";
  await createRun(witness, runId);
  const ask = (name: string): Promise<AppendOutcome> => {
    const batch = [0, 1].map((at) => event("TOKEN", JSON.stringify(`${name}.${at}`)));
    return append(store, runId, batch, { idempotencyKey: name });
  };
  // The first opens connections and prepares statements.
  for (const name of ["first", "second"]) await ask(name);
  const chunks = await chunksOf(proxy, () => ask("third"));
  const answers = new Map<string, AppendOutcome | RunEventsError>();
  for (const [round, cut] of cutsFor(chunks, trial.draws).entries()) {
    const name = `append-${round}`;
    // Opens the connection, so that the answer that is cut is that of the append, and not one to the opening of the connection.
    if (cut.at === "answer") await untilAnswered(() => ask(`open-${round}`));
    const answer = await cutting(proxy, cut, "an append", () => ask(name));
    const isInDoubt = answer instanceof RunEventsError && answer.ambiguous;
    answers.set(name, isInDoubt ? await untilAnswered(() => ask(name)) : answer);
  }
  checkCuts(proxy);
  const log = await readLog(witness, runId);
  for (const [name, answer] of answers) checkLanding(log.events, name, answer);
}

/** Compares the outcome of an append with the log. */
function checkLanding(
  log: readonly StoredEvent[],
  name: string,
  answer: AppendOutcome | RunEventsError,
): void {
  const places = log
    .filter(({ payload }) => payload === JSON.stringify(`${name}.0`))
    .map(({ sequence }) => sequence);
  if (answer instanceof RunEventsError) {
    if (places.length === 0) return;
    const what = "an append has landed whose failure is not `ambiguous`";
    throw new BrokenClause("S7", `${what}: ${describeError(answer)}`);
  }
  if (places.length !== 1) {
    const times = `an append whose connection was lost was answered ${answer.outcome}`;
    throw new BrokenClause("S7", `${times}, and has landed ${places.length} times`);
  }
  const { firstSequence } = answer as Partial<Extract<AppendOutcome, { firstSequence: number }>>;
  if (firstSequence === places[0]) return;
  const why = `an append was answered with the sequence ${firstSequence}`;
  throw new BrokenClause("S1", `${why}, and the log has it at ${places[0]}`);
}

async function loseClaims(trial: ProcessTrial): Promise<void> {
  const { proxy, store, witness } = await startLine(trial);
  const ask = (runId: string, from = store, claimKey = `of ${runId}`): Promise<LeaseOutcome> =>
    from.claim({ runId, leaseMs: LONG_MS, claimKey });
  for (const runId of ["first", "second", "third"]) await createRun(witness, runId);
  for (const runId of ["first", "second"]) await claim(store, runId);
  const chunks = await chunksOf(proxy, () => ask("third"));
  for (const [round, cut] of cutsFor(chunks, trial.draws).entries()) {
    const runId = `claimed-${round}`;
    await createRun(witness, runId);
    const first = await cutting(proxy, cut, "a claim", () => ask(runId));
    const isInDoubt = first instanceof RunEventsError && first.ambiguous;
    const last = isInDoubt ? await untilAnswered(() => ask(runId)) : first;
    const other = await ask(runId, witness, "another");
    const same = await ask(runId, witness);
    checkClaim(last, { other, same });
  }
  checkCuts(proxy);
}

/** Compares the outcome of a claim with those of another process' claims, under another key and then under the same. */
function checkClaim(
  answer: LeaseOutcome | RunEventsError,
  { other, same }: { readonly other: LeaseOutcome; readonly same: LeaseOutcome },
): void {
  if (answer instanceof RunEventsError) {
    if (other.outcome === "granted") return;
    const why = "a run is claimed by a claim that is not `ambiguous`";
    throw new BrokenClause("S7", `${why}: ${describeError(answer)}`);
  }
  if (answer.outcome !== "granted") {
    const lost = "a claim whose connection was lost was refused by the lease that it had made";
    throw new BrokenClause("S21", `${lost}: it was answered ${answer.outcome}`);
  }
  if (other.outcome === "claimed" && isSame(same, answer)) return;
  const times = `a run was claimed once, which was answered ${show(answer)}`;
  const again = `the same claim from elsewhere is answered ${show(same)}`;
  throw new BrokenClause("S21", `${times}; ${again}, and another claim ${other.outcome}`);
}

async function followThroughLosses(trial: ProcessTrial): Promise<void> {
  const { proxy, store, witness } = await startLine(trial);
  const runId = "followed";
  await createRun(witness, runId);
  const follower = await Follower.start(store, runId);
  for (let round = 1; round <= FOLLOWED_CUTS; round++) {
    await append(witness, runId, events(1));
    await Promise.race([follower.ended, untilWaiting(follower, round)]);
    proxy.cutAll();
  }
  await append(witness, runId, [event("RUN_COMPLETED")]);
  await follower.ended;
  const log = await readLog(witness, runId);
  assertEqual(follower.events, log.events, "what a reader got whose connections were lost");
}

/** A follower has read this many events, and only a notification makes it read again. */
async function untilWaiting(follower: Follower, count: number): Promise<void> {
  while (!follower.isWaiting || follower.events.length !== count) await nextTurn();
}

async function loseCalls(trial: ProcessTrial): Promise<void> {
  const { proxy, store, witness } = await startLine(trial);
  await createRun(witness, ASKED);
  for (const [index, [call, ask]] of Object.entries({ ...READS, ...WRITES }).entries()) {
    // So that each has a connection to lose.
    await untilAnswered(() => store.getRun(ASKED));
    const cut: Cut = { at: index % 2 === 0 ? "answer" : "request", after: 0 };
    const answer = await cutting(proxy, cut, `\`${call}\``, () => ask(store));
    if (!(answer instanceof RunEventsError)) continue;
    if (call in READS && answer.ambiguous) {
      const why = `\`${call}\` changes nothing, but its failure is \`ambiguous\``;
      throw new BrokenClause("S20", why);
    }
    await untilAnswered(() => ask(store));
  }
  checkCuts(proxy);
}
