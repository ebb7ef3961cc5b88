import { once } from "node:events";
import { createInterface } from "node:readline";
import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { openStoreUrl } from "../open-store-url.ts";

/**
 * One version of a chat's server, which answers in the run of its second argument. It prints what it has done, a line each, and does
 * what comes after that on a line of its standard input. SIGTERM shuts it down as the pages say.
 */
const [url = "", runId = "", act = ""] = process.argv.slice(2);
/** The number of tokens in a whole answer, and before the model pauses to think. */
const TOKENS = 20;
const FIRST = 8;
const LEASE = { ownerId: "ada", leaseMs: 1_000 } as const;

const { store, close } = await openStoreUrl(url);
const runs = createRunEvents({ store });
const shutdown = new AbortController();
process.once("SIGTERM", () => shutdown.abort());
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

type Work = Parameters<RunEvents["work"]>[2];
type Run = Parameters<Work>[0];

/** The tokens of a model whose stream does not throw when its signal aborts: it ends, as many SDKs' streams do. */
async function* modelTokens(from: number, signal: AbortSignal): AsyncGenerator<string> {
  for (let at = from; at < TOKENS && !signal.aborted; at++) {
    yield `t${at}`;
    if (at !== FIRST - 1) continue;
    console.log("thinking");
    if (!signal.aborted) await once(signal, "abort");
  }
}

async function answer(run: Run): Promise<string> {
  const { events } = await runs.as("ada").read(runId);
  const from = events.filter(({ eventType }) => eventType === "TOKEN").length;
  for await (const token of modelTokens(from, run.signal)) await run.emit("TOKEN", token);
  return "done";
}

async function answerOrThrow(run: Run): Promise<string> {
  const value = await answer(run);
  run.signal.throwIfAborted();
  return value;
}

/** Prints the outcome of the work. A shutdown stops it. */
async function printEnd(done: Promise<unknown>): Promise<void> {
  shutdown.signal.addEventListener("abort", () => void runs.close());
  console.log(
    await done.then(
      (value) => `answered ${String(value)}`,
      ({ code, message }: { readonly code: string; readonly message: string }) =>
        `gave up: ${code} ${message}`,
    ),
  );
}

async function start(task: Work, options: { readonly onShutdown?: "fail" } = {}): Promise<void> {
  const { done } = await runs.start({ ...LEASE, ...options, runId }, task);
  await printEnd(done);
}

const acts: Readonly<Record<string, () => Promise<void>>> = {
  end: () => start(answer),
  throw: () => start(answerOrThrow),
  fail: () => start(answer, { onShutdown: "fail" }),
  /** Creates a run first, and claims it only after a line on standard input. */
  async create() {
    await runs.create({ ownerId: "ada", runId });
    console.log("created");
    await input.next();
    await printEnd(runs.work(runId, LEASE, answer));
  },
  /** Goes on with the run as soon as no other worker has it. */
  resume: () => printEnd(claimWhenFree()),
  sweep: () => sweep(300),
  /** Competes with the workers that claim a run which was just released. */
  hurry: () => sweep(1),
};

async function claimWhenFree(): Promise<unknown> {
  for (let tries = 0; ; tries++) {
    try {
      return await runs.work(runId, LEASE, answerOrThrow);
    } catch (error) {
      if ((error as { readonly code?: string }).code !== "claimed") throw error;
      if (tries === 0) console.log("competing");
    }
  }
}

/** The upkeep of a server, with limits in place of days. */
async function sweep(forMs: number): Promise<void> {
  const limits = { queuedForMs: forMs, idleForMs: forMs, waitingForMs: forMs };
  console.log("competing");
  while (!shutdown.signal.aborted) {
    for (const { runId } of await runs.reap({ graceMs: 0, confirmMs: 0, ...limits })) {
      console.log(`ended ${runId}`);
    }
    // A server's upkeep pauses between two sweeps, too. The test waits for what the sweeps print, and not for this pause.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

await acts[act]?.();
if (!shutdown.signal.aborted) await once(shutdown.signal, "abort");
await runs.close();
await close();
process.stdin.destroy();
