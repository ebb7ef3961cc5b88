import type { OwnedRuns } from "@tm/run-events-core";
import { expect, it } from "vitest";
import type { Edit } from "../edited-folder.ts";
import { openRuns } from "../open-runs.ts";
import { startWorker, type WorkerProcess } from "../start-worker.ts";

/** Each node takes no time. */
const FAST: Edit = ["await setTimeout(1_000,", "await setTimeout(0,"];
/** The second node takes until the worker is killed. */
const STUCK: Edit = ["await setTimeout(1_000,", 'await setTimeout(name === "hotel" ? 300_000 : 0,'];

/** A store, and workers on it. */
async function openPlace(): Promise<{
  readonly runs: OwnedRuns;
  work(edits: readonly Edit[], ...answer: readonly string[]): Promise<WorkerProcess>;
}> {
  const { path, runs } = await openRuns("langgraph");
  return {
    runs,
    work: (edits, ...answer) =>
      startWorker("protocols/langgraph.mjs", {
        args: ["trip", ...answer],
        env: { DATABASE: path },
        edits,
      }),
  };
}

/** Resolves once the lease of a worker that was killed has expired. */
async function untilExpired(runs: OwnedRuns): Promise<void> {
  await expect
    .poll(async () => {
      const { lease } = await runs.get("trip");
      return lease === null || Date.parse(lease.expiresAt) < Date.now();
    })
    .toBe(true);
}

it("a graph is followed elsewhere, goes on in another process after a kill, and after the answer of a person", async () => {
  const { runs, work } = await openPlace();
  await runs.create({ runId: "trip" });
  const seen: string[] = [];
  const followed = (async () => {
    for await (const { eventType, payload } of runs.tail("trip")) {
      const { node = "" } = (payload ?? {}) as { readonly node?: string };
      seen.push(`${eventType} ${node}`.trim());
    }
  })();
  const first = await work([STUCK]);
  await expect.poll(() => seen).toContain("NODE_DONE flight");
  await first.end("SIGKILL");
  await untilExpired(runs);
  const second = await work([FAST]);
  await second.prints("parked: true");
  expect(await runs.get("trip")).toMatchObject({ runStatus: "waiting", lease: null });
  const third = await work([FAST], "yes");
  await third.prints("booked");
  await followed;
  expect(seen).toEqual([
    "PROGRESS",
    "NODE_DONE flight",
    "PROGRESS",
    "NODE_DONE hotel",
    "INPUT_REQUESTED",
    "INPUT_RECEIVED",
    "NODE_DONE approve",
    "RUN_COMPLETED",
  ]);
  const { events } = await runs.read("trip", { since: 7 });
  expect(events[0]?.payload).toEqual({ steps: ["trip", "flight", "hotel", "booked"] });
});

/** A node that asks twice. After the first answer it reports, and then waits so long. */
const askTwice = (ms: number): Edit => [
  'const approve = () => ({ steps: [lang.interrupt({ question: "Book it?" }) ? "booked" : "left"] });',
  `const approve = async (_state, { writer }) => {
    const first = lang.interrupt({ question: "Book it?" });
    writer("asked");
    await setTimeout(${ms});
    return { steps: [first, lang.interrupt({ question: "Pay it?" })] };
  };`,
];

it("a node that asks twice gets each answer once, also after a kill between the two", async () => {
  const { runs, work } = await openPlace();
  await (await work([FAST, askTwice(0)])).prints("parked: true");
  const second = await work([FAST, askTwice(300_000)], "no");
  const typesOf = async (): Promise<readonly string[]> =>
    (await runs.read("trip")).events.map(({ eventType }) => eventType);
  await expect
    .poll(async () => (await typesOf()).slice(-2))
    .toEqual(["INPUT_RECEIVED", "PROGRESS"]);
  await second.end("SIGKILL");
  await untilExpired(runs);
  await (await work([FAST, askTwice(0)])).prints("parked: true");
  const { events } = await runs.read("trip");
  const questions = events.filter(({ eventType }) => eventType === "INPUT_REQUESTED");
  expect(questions.map(({ payload }) => payload)).toEqual([
    { question: "Book it?" },
    { question: "Pay it?" },
  ]);
  await (await work([FAST, askTwice(0)], "yes")).prints("false, true");
});
