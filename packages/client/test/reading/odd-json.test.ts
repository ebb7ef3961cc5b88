import { text } from "node:stream/consumers";
import { followRun, startRun } from "@tm/run-events-client";
import { type Client, createClient } from "@tm/run-events-client/runs";
import { createRunsStore, createRunStore } from "@tm/run-events-client/store";
import { workRun } from "@tm/run-events-client/work";
import { RunEventsError } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { lie, sendBent } from "../bent-answer.ts";
import { HonestLog } from "../honest-log.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { startScriptedServer } from "../scripted-server.ts";

/** The time that a call may take. One that takes longer hangs. */
const HANG_MS = 300_000;
/** The number of requests that a call may make, after at most four wrong answers. One that makes more spins. */
const MOST_REQUESTS = 60;
const BEARER = { bearer: "b" } as const;
const COOKIE = { cookie: "a=b" } as const;

type Call = (baseUrl: string, signal: AbortSignal) => Promise<unknown>;

const calling =
  (call: (runs: Client, signal: AbortSignal) => Promise<unknown>): Call =>
  async (baseUrl, signal) =>
    call(createClient({ baseUrl, credential: BEARER }), signal);

async function take(items: AsyncIterable<unknown>, most = Infinity): Promise<void> {
  let left = most;
  for await (const _ of items) if ((left -= 1) <= 0) return;
}

interface View {
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => { readonly state: string; readonly error: unknown };
}

/** Resolves when a view has what it shows, and rejects if it fails. */
async function settle({ subscribe, getSnapshot }: View, states: RegExp): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const leave = subscribe(() => states.test(getSnapshot().state) && resolve());
  await promise;
  leave();
  const { state, error } = getSnapshot();
  if (state === "failed") throw error;
}

async function write(baseUrl: string): Promise<void> {
  const run = await startRun({ baseUrl, runId: "a", credential: BEARER });
  await run.append([{ eventType: "STEP" }]);
  await Promise.race([
    run.emit("STEP"),
    new Promise((resolve) => run.signal.addEventListener("abort", resolve)),
  ]);
  await run.complete();
}

async function work(baseUrl: string, signal: AbortSignal): Promise<void> {
  const options = { baseUrl, runId: "a", leaseMs: 5_000, credential: BEARER, signal };
  await workRun(options, async (run) => {
    await run.append([{ eventType: "STEP" }]);
    await run.ask({ question: "?" });
    await run.emit("STEP");
  });
}

/** Each call, and how many events the log has when it begins. */
const CALLS: readonly (readonly [name: string, count: number, call: Call])[] = [
  ["create", 0, calling((runs) => runs.create({ runId: "a" }))],
  ["createClaimed", 0, calling((runs) => runs.createClaimed({ runId: "a", leaseMs: 1_000 }))],
  ["get", 3, calling((runs) => runs.get("a"))],
  ["list", 3, calling((runs) => runs.list())],
  ["events", 3, calling((runs) => runs.events("a"))],
  ["events, the last", 3, calling((runs) => runs.events("a", { tail: 2 }))],
  ["append", 0, calling((runs) => runs.append("a", [{ eventType: "STEP" }]))],
  ["input", 0, calling((runs) => runs.input("a", 1))],
  ["cancel", 0, calling((runs) => runs.cancel("a"))],
  ["claim", 0, calling((runs) => runs.claim("a", { leaseMs: 1_000 }))],
  ["renew", 0, calling((runs) => runs.renew("a", 1, { leaseMs: 1_000 }))],
  ["release", 0, calling((runs) => runs.release("a", 1))],
  ["delete", 0, calling((runs) => runs.delete("a"))],
  ["watch, by polls", 3, calling((runs, signal) => take(runs.watch({ last: true, signal }), 6))],
  [
    "watch, by a stream",
    3,
    (baseUrl, signal) =>
      take(createClient({ baseUrl, credential: COOKIE }).watch({ last: true, signal }), 6),
  ],
  ["follow, by polls", 3, calling((runs, signal) => take(runs.follow("a", { signal })))],
  ["follow, the last", 3, calling((runs, signal) => take(runs.follow("a", { tail: 2, signal })))],
  [
    "follow, by a stream",
    3,
    (baseUrl, signal) => take(followRun({ baseUrl, runId: "a", credential: COOKIE, signal })),
  ],
  ["startRun", 0, write],
  ["workRun", 0, work],
  [
    "a view of a run",
    3,
    (baseUrl) => settle(createRunStore("a", { baseUrl, credential: COOKIE, tail: 2 }), /^f/),
  ],
  [
    "views of two runs",
    3,
    (baseUrl) =>
      Promise.all(
        ["a", "b"].map((runId) =>
          settle(createRunStore(runId, { baseUrl, credential: COOKIE }), /^f/),
        ),
      ),
  ],
  [
    "a view of all runs",
    3,
    (baseUrl) => settle(createRunsStore({ baseUrl, credential: BEARER }), /^(?:polling|failed)/),
  ],
];

const program = fc.record({
  call: fc.constantFrom(...CALLS),
  lies: fc.array(lie, { minLength: 1, maxLength: 4 }),
});

/** The outcome of a call, and the number of requests that it took. */
interface Outcome {
  readonly what: string;
  readonly requests: number;
}

async function run({
  call,
  lies,
}: typeof program extends fc.Arbitrary<infer T> ? T : never): Promise<Outcome> {
  const [name, count, start] = call;
  const log = new HonestLog(count);
  const { baseUrl, requests } = await startScriptedServer((response, index, request) => {
    const { method = "", url = "" } = request;
    void text(request).then((body) => {
      const honest = log.answer(method, new URL(url, "http://a"), body);
      sendBent(response, honest, url.includes("/stream"), lies[index]);
    });
  });
  const leaving = new AbortController();
  const end = await Promise.race([
    start(baseUrl, leaving.signal).then(
      () => "ends",
      (error: unknown) => (error instanceof RunEventsError ? "has a code" : `: ${String(error)}`),
    ),
    new Promise<string>((resolve) => setTimeout(resolve, HANG_MS, "hangs")),
  ]);
  leaving.abort(new Error("enough"));
  return { what: `${name} ${end}`, requests: requests.length };
}

it("W3: an answer that is wrong in any place makes no call hang, spin, or fail without a code", async () => {
  const many = fc.array(program, { minLength: 40, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(many, async (programs) => {
      // All at once, since each turn of the clock takes time.
      const outcomes = await onFastClock(() => Promise.all(programs.map(run)));
      for (const { what, requests } of outcomes) {
        expect(what).toMatch(/ (?:ends|has a code)$/);
        expect(requests, what).toBeLessThanOrEqual(MOST_REQUESTS);
      }
    }),
    { numRuns: 4 },
  );
});
