import { RunEventsError } from "@tm/run-events-core";
import { append, event, events } from "../append-request.ts";
import { assert, assertEqual, BrokenClause } from "../assert.ts";
import { describeError } from "../describe-error.ts";
import { Follower } from "../follower.ts";
import { type KitStore, OWNER } from "../kit-store.ts";
import { nextTurn } from "../next-turn.ts";
import { requireOrder } from "../races/explain.ts";
import type { Asked, RaceOperation } from "../races/operation.ts";
import type { RaceStep } from "../races/race.ts";
import { RaceClient } from "../races/race-client.ts";
import { READ_ALL } from "../races/run-race.ts";
import { CANCEL, plainly } from "../races/themes.ts";
import { createRun, readLog, readRun } from "../read-log.ts";
import type { Cut, CuttingProxy } from "./cutting-proxy.ts";
import type { Draws } from "./draws.ts";
import type { ProcessCase, ProcessTrial } from "./process-case.ts";
import { untilAnswered } from "./until-answered.ts";

/** The number of calls that lose their connection besides those that are cut at each chunk of an answer. */
const DRAWN_CUTS = 6;
/** At most this many chunks of a call's answer are each cut once. */
const MOST_CHUNKS = 8;
/** The number of times that the connections of a follower are lost. */
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

const CREATE = plainly("a");
const APPEND: RaceStep = {
  call: "append",
  requests: [
    { runId: "a", eventTypes: ["TOKEN", "TOKEN"], key: "own", expected: null, by: "anybody" },
  ],
};
const CLAIM = { call: "claim", runId: "a", claimKey: "own", length: "long" } as const;

/** A store behind a proxy, and one of another process, which loses nothing. */
interface Line {
  readonly proxy: CuttingProxy;
  readonly store: KitStore;
  readonly other: KitStore;
  /** Makes calls of the store behind the proxy, and the witness those of the other. Both are recorded. */
  readonly client: RaceClient;
  readonly witness: RaceClient;
  readonly operations: readonly RaceOperation[];
}

async function startLine({ crew }: ProcessTrial): Promise<Line> {
  const proxy = await crew.startProxy();
  const [{ store }, { store: other }] = await Promise.all([crew.start({ proxy }), crew.start()]);
  let instant = 0;
  const operations: RaceOperation[] = [];
  // A driver may send a call again by itself, as core does.
  const place = { prefix: "", now: () => (instant += 1), operations, mayRepeat: true };
  const client = new RaceClient("1", store, place);
  const witness = new RaceClient("2", other, { ...place, mayRepeat: false });
  return { proxy, store, other, client, witness, operations };
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

/** The number of chunks that an uncut call's answer has. */
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

/** Makes a call under a key that loses its connection, and makes it again until it is answered if it is in doubt. @returns it, unless it failed */
async function lose(line: Line, cut: Cut, step: RaceStep): Promise<Asked | undefined> {
  const { proxy, client, operations } = line;
  const before = operations.length;
  await cutting(proxy, cut, step.call, () => client.step(step));
  const made = operations[before];
  if (made?.endedAt === Infinity) await untilAnswered(() => client.make(made.asked));
  return made?.asked;
}

async function loseAppends(trial: ProcessTrial): Promise<void> {
  const line = await startLine(trial);
  const { proxy, client, witness } = line;
  await witness.step(CREATE);
  // The first opens connections and prepares statements.
  for (let time = 0; time < 2; time++) await client.step(APPEND);
  const chunks = await chunksOf(proxy, () => client.step(APPEND));
  for (const cut of cutsFor(chunks, trial.draws)) {
    // Opens the connection, so that the answer that is cut is that of the append, and not one to the opening of the connection.
    if (cut.at === "answer") await untilAnswered(() => client.step(APPEND));
    await lose(line, cut, APPEND);
  }
  checkCuts(proxy);
  await witness.run(READ_ALL);
  requireOrder("S7", line.operations);
}

async function loseClaims(trial: ProcessTrial): Promise<void> {
  const line = await startLine(trial);
  const { proxy, client, witness } = line;
  const createAgain = (): Promise<void> =>
    witness.run([CANCEL, { call: "deleteRun", runId: "a" }, CREATE]);
  await createAgain();
  await client.step(CLAIM);
  await createAgain();
  const chunks = await chunksOf(proxy, () => client.step(CLAIM));
  for (const cut of cutsFor(chunks, trial.draws)) {
    await createAgain();
    const asked = await lose(line, cut, CLAIM);
    // The same claim from elsewhere gets the same lease, and another none.
    if (asked !== undefined) await witness.make(asked);
    await witness.step({ ...CLAIM, claimKey: "another" });
  }
  checkCuts(proxy);
  requireOrder("S21", line.operations);
}

async function followThroughLosses(trial: ProcessTrial): Promise<void> {
  const { proxy, store, other } = await startLine(trial);
  const runId = "followed";
  await createRun(other, runId);
  const follower = await Follower.start(store, runId, untilAnswered);
  for (let round = 1; round <= FOLLOWED_CUTS; round++) {
    await append(other, runId, events(1));
    await Promise.race([follower.ended, untilWaiting(follower, round)]);
    proxy.cutAll();
  }
  await append(other, runId, [event("RUN_COMPLETED")]);
  await follower.ended;
  const log = await readLog(other, runId);
  assertEqual(follower.events, log.events, "what a reader got whose connections were lost");
}

/** A follower has read this many events, and only a notification makes it read again. */
async function untilWaiting(follower: Follower, count: number): Promise<void> {
  while (!follower.isWaiting || follower.events.length !== count) await nextTurn();
}

async function loseCalls(trial: ProcessTrial): Promise<void> {
  const { proxy, store, other } = await startLine(trial);
  await createRun(other, ASKED);
  for (const [index, [call, ask]] of Object.entries({ ...READS, ...WRITES }).entries()) {
    // A first call, so that each process has a connection to lose.
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
