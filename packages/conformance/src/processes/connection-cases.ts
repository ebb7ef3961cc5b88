import { assert, BrokenClause, isSame } from "../assert.ts";
import { runIdOf } from "../concurrent/run-steps.ts";
import type { LoggedEvent } from "../history/operation.ts";
import { LONG_MS } from "../lease.ts";
import { nextTurn } from "../next-turn.ts";
import type { Cut, CuttingProxy } from "./cutting-proxy.ts";
import type { Draws } from "./draws.ts";
import type { ProcessCase, ProcessTrial } from "./process-case.ts";
import type { Worker } from "./start-worker.ts";
import type { Call, CallAnswer, CallFailure, PlainCall } from "./worker-commands.ts";

/** How many calls lose their connection besides those that are cut at each chunk of an answer. */
const DRAWN_CUTS = 6;
/** At most this many chunks of a call's answer are each cut once. */
const MOST_CHUNKS = 8;
/** How often the connections of a follower are lost. */
const FOLLOWED_CUTS = 4;

type ClaimCall = Extract<Call, { readonly call: "claim" }>;

/** Calls that change nothing: losing their answer leaves nothing in doubt. */
const READS: readonly PlainCall[] = ["read", "getRun", "listRuns", "listDue"];
const WRITES: readonly PlainCall[] = ["createRun", "release", "probe", "purge", "deleteRun"];
const CALLS = [...READS, ...WRITES];

/** Cases of S7, S13, S20 and S21 in `STORE.md`: connections that break after a request and before its answer. */
export const connectionCases: readonly ProcessCase[] = [
  {
    name: "S7 an append whose connection is lost before its answer has landed as its outcome shows, or is in doubt and lands once under its key",
    run: (trial) => loseAppends(trial),
  },
  {
    name: "S21 a claim whose connection is lost before its answer is granted, or in doubt and granted once under its key",
    run: (trial) => loseClaims(trial),
  },
  {
    name: "S13 a process that reads only when notified sees all that others append, even if it loses its connections",
    run: (trial) => followThroughLosses(trial),
  },
  {
    name: "S20 a call whose connection is lost fails with store_unavailable, is retryable, and is answered then",
    run: (trial) => loseCalls(trial),
  },
];

/** A process behind a proxy, and one that loses nothing. */
async function startLine({ crew }: ProcessTrial): Promise<{
  readonly proxy: CuttingProxy;
  readonly worker: Worker;
  readonly witness: Worker;
}> {
  const proxy = await crew.startProxy();
  const [worker, witness] = await Promise.all([crew.start({ proxy }), crew.start()]);
  return { proxy, worker, witness };
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

/** @throws BrokenClause unless a failure is one of a driver. @see clause S20 in `STORE.md` */
function checkFailure(what: string, { code, retryable, hasCause, text }: CallFailure): void {
  const came = `${what} failed with its connection, and was answered ${text}`;
  if (code !== "store_unavailable") {
    throw new BrokenClause("S20", `${came}, which is not a RunEventsError with store_unavailable`);
  }
  if (!retryable) throw new BrokenClause("S20", `${came}, which is not \`retryable\``);
  if (!hasCause) throw new BrokenClause("S20", `${came}, without the driver's error as its cause`);
}

async function loseAppends(trial: ProcessTrial): Promise<void> {
  const { proxy, worker, witness } = await startLine(trial);
  const runId = "lost";
  await witness.call("create", { runIds: [runId] });
  const callOf = (name: string): Call => {
    const ids = [`${name}.0`, `${name}.1`] as const;
    return { call: "append", runId, ids, idempotencyKey: name };
  };
  // The first opens connections and prepares statements.
  for (const name of ["first", "second"]) await worker.call("ask", callOf(name));
  const chunks = await chunksOf(proxy, () => worker.call("ask", callOf("third")));
  const answers = new Map<string, CallAnswer>();
  for (const [round, cut] of cutsFor(chunks, trial.draws).entries()) {
    const name = `append-${round}`;
    // Opens the connection, so that the answer that is cut is that of the append, and not one to the opening of the connection.
    if (cut.at === "answer") await worker.call("askUntilAnswered", callOf(`open-${round}`));
    proxy.plan(cut);
    const answer = await worker.call("ask", callOf(name));
    proxy.plan(null);
    answers.set(name, answer);
    if (!("failure" in answer)) continue;
    checkFailure("an append", answer.failure);
    if (!answer.failure.ambiguous) continue;
    const again = await worker.call("askUntilAnswered", callOf(name));
    if (again.outcome !== "appended" && again.outcome !== "replayed") {
      const sent = "an append in doubt was sent again under its key";
      throw new BrokenClause("S7", `${sent} and answered ${again.outcome}`);
    }
    answers.set(name, again);
  }
  checkCuts(proxy);
  const [log] = await witness.call("readLogs", { runIds: [runId] });
  for (const [name, answer] of answers) checkLanding(log ?? [], name, answer);
}

/** Compares the outcome of an append with the log. */
function checkLanding(log: readonly LoggedEvent[], name: string, answer: CallAnswer): void {
  const places = log.flatMap(({ id }, index) => (id === `${name}.0` ? [index + 1] : []));
  if ("failure" in answer) {
    if (places.length === 0) return;
    const { text } = answer.failure;
    const why = `an append has landed whose failure is not \`ambiguous\`: ${text}`;
    throw new BrokenClause("S7", why);
  }
  if (places.length !== 1) {
    const times = `an append whose connection was lost was answered ${answer.outcome}`;
    throw new BrokenClause("S7", `${times}, and has landed ${places.length} times`);
  }
  const { firstSequence } = answer as { readonly firstSequence?: number };
  if (firstSequence === places[0]) return;
  const why = `an append was answered with the sequence ${firstSequence}`;
  throw new BrokenClause("S1", `${why}, and the log has it at ${places[0]}`);
}

async function loseClaims(trial: ProcessTrial): Promise<void> {
  const { proxy, worker, witness } = await startLine(trial);
  const callOf = (runId: string): ClaimCall => ({
    call: "claim",
    runId,
    claimKey: `of ${runId}`,
    leaseMs: LONG_MS,
  });
  const warm = ["first", "second", "third"];
  await witness.call("create", { runIds: warm });
  for (const runId of warm.slice(1)) await worker.call("ask", callOf(runId));
  const chunks = await chunksOf(proxy, () => worker.call("ask", callOf("first")));
  for (const [round, cut] of cutsFor(chunks, trial.draws).entries()) {
    const runId = `claimed-${round}`;
    await witness.call("create", { runIds: [runId] });
    proxy.plan(cut);
    const first = await worker.call("ask", callOf(runId));
    proxy.plan(null);
    let last = first;
    if ("failure" in first) {
      checkFailure("a claim", first.failure);
      if (first.failure.ambiguous) last = await worker.call("askUntilAnswered", callOf(runId));
    }
    await checkClaim(witness, callOf(runId), last);
  }
  checkCuts(proxy);
}

/** Compares the outcome of a claim with what another process can claim, under another key and under the same. */
async function checkClaim(witness: Worker, claim: ClaimCall, answer: CallAnswer): Promise<void> {
  const other = await witness.call("ask", { ...claim, claimKey: "another" });
  if ("failure" in answer) {
    if (other.outcome === "granted") return;
    const { text } = answer.failure;
    throw new BrokenClause("S7", `a run is claimed by a claim that is not \`ambiguous\`: ${text}`);
  }
  if (answer.outcome !== "granted") {
    const lost = "a claim whose connection was lost was refused by the lease that it had made";
    throw new BrokenClause("S21", `${lost}: it was answered ${answer.outcome}`);
  }
  const same = await witness.call("ask", claim);
  if (other.outcome === "claimed" && isSame(same, answer)) return;
  const times = `a run was claimed once, which was answered ${JSON.stringify(answer)}`;
  const again = `the same claim from elsewhere is answered ${JSON.stringify(same)}`;
  throw new BrokenClause("S21", `${times}; ${again}, and another claim ${other.outcome}`);
}

async function followThroughLosses(trial: ProcessTrial): Promise<void> {
  const { proxy, worker: reader, witness: writer } = await startLine(trial);
  const prefix = "followed-";
  const runId = runIdOf(prefix, 0);
  await writer.call("create", { runIds: [runId] });
  await reader.call("subscribe", { runId });
  const followed = reader.call("follow", { runId, isPatient: true });
  // Its failure is checked below, in either order.
  followed.catch(() => {});
  for (let round = 1; round <= FOLLOWED_CUTS; round++) {
    await append(writer, prefix, `${round}`, "TOKEN");
    await Promise.race([followed, untilWaiting(reader, round)]);
    proxy.cutAll();
  }
  await append(writer, prefix, "end", "RUN_COMPLETED");
  const ids = await followed;
  const [log] = await writer.call("readLogs", { runIds: [runId] });
  const expected = (log ?? []).map(({ id }) => id);
  if (ids.join() === expected.join()) return;
  const got = `a reader whose connections were lost got ${ids.length} events`;
  throw new BrokenClause("S13", `${got} of ${expected.length}, or others`);
}

async function append(
  writer: Worker,
  prefix: string,
  name: string,
  eventType: string,
): Promise<void> {
  const planned = {
    run: 0,
    events: [eventType],
    key: null,
    expected: null,
    by: "anybody",
  } as const;
  const steps = [{ call: "append", requests: [planned] }] as const;
  await writer.call("runSteps", { name, prefix, steps });
}

/** A follower has read this many events, and only a notification makes it read again. */
async function untilWaiting(reader: Worker, count: number): Promise<void> {
  for (;;) {
    const followed = await reader.call("followed", null);
    if (followed.isWaiting && followed.count === count) return;
    await nextTurn();
  }
}

async function loseCalls(trial: ProcessTrial): Promise<void> {
  const { proxy, worker, witness } = await startLine(trial);
  const runId = "asked";
  await witness.call("create", { runIds: [runId] });
  for (const [index, call] of CALLS.entries()) {
    // So that each has a connection to lose.
    await worker.call("askUntilAnswered", { call: "getRun", runId });
    proxy.plan({ at: index % 2 === 0 ? "answer" : "request", after: 0 });
    const answer = await worker.call("ask", { call, runId });
    proxy.plan(null);
    if (!("failure" in answer)) continue;
    checkFailure(`\`${call}\``, answer.failure);
    if (READS.includes(call) && answer.failure.ambiguous) {
      throw new BrokenClause(
        "S20",
        `\`${call}\` changes nothing, but its failure is \`ambiguous\``,
      );
    }
    await worker.call("askUntilAnswered", { call, runId });
  }
  checkCuts(proxy);
}
