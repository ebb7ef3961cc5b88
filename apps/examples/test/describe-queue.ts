import type { OwnedRuns } from "@tm/run-events-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Edit } from "./edited-folder.ts";
import { startWorker, type WorkerProcess } from "./start-worker.ts";
import { startTools, type ToolServer } from "./tool-server.ts";
import { STEPS, wholeLog } from "./whole-log.ts";

/** The app's side of a recipe with a queue, in this process. */
export interface QueueApp {
  /** Ada's. */
  readonly runs: OwnedRuns;
  /** The variables that lead the workers to the servers. */
  readonly env: Readonly<Record<string, string>>;
  /** Records a run and queues its job, as the recipe does. */
  start(runId: string): Promise<void>;
  /** Answers a run that waits, as the recipe does. */
  answer(runId: string, payload: unknown): Promise<void>;
  /** The same with a job that is not tried again. */
  startOnce(runId: string): Promise<void>;
  /** The states of the run's jobs. */
  jobStates(runId: string): Promise<readonly string[]>;
  /** The number of times that the queue has handed out a job of this run. */
  deliveries(runId: string): Promise<number>;
  /** When the delayed job of this run falls due, as `Date.now()`; `null` without one. */
  dueAt(runId: string): Promise<number | null>;
  /** Lets that job fall due now. */
  bringForward(runId: string): Promise<void>;
  /** Lets the queue find out now that a worker has died, if it would take long by itself. */
  findDead(): Promise<void>;
  close(): Promise<void>;
}

/** A recipe with one queue: how its tests open it, what its log has, and edits for its workers. */
export interface QueueTrial {
  readonly folder: string;
  readonly open: () => Promise<QueueApp>;
  /** The events of a run's log before a worker has it. */
  readonly before: readonly string[];
  /** Edits that make every worker faster. */
  readonly hasty: readonly Edit[];
  /** Edits after which the queue and the run notice a death sooner, the queue before the run. */
  readonly mortal: readonly Edit[];
  /** Edits after which a worker checks sooner for others that have died. */
  readonly attentive: readonly Edit[];
}

/** A recipe under trial, once its app is open. */
interface Tried {
  readonly trial: QueueTrial;
  readonly app: () => QueueApp;
  newRunId(): string;
  work(tools: ToolServer, edits?: readonly Edit[]): Promise<WorkerProcess>;
}

/**
 * The tests of a recipe with any queue.
 * @param describeMore further tests of this one
 */
export function describeQueue(name: string, trial: QueueTrial, describeMore?: () => void): void {
  describe(`the recipe with ${name}`, () => {
    let app: QueueApp;
    let count = 0;
    beforeAll(async () => void (app = await trial.open()));
    afterAll(() => app.close());

    const tried: Tried = {
      trial,
      app: () => app,
      newRunId: () => `trip_${(count += 1)}`,
      work: (tools, edits = []) =>
        startWorker(`${trial.folder}/worker.mjs`, {
          env: { ...app.env, TOOLS_URL: tools.url },
          edits: [...trial.hasty, ...edits],
        }),
    };
    testWorkers(tried);
    testAttempts(tried);
    testQuestions(tried);
    describeMore?.();
  });
}

/** Ends a worker as a deployment does. What it has settled is settled then. */
async function endInOrder(worker: WorkerProcess): Promise<void> {
  expect(await worker.end("SIGTERM")).toBe(0);
}

function testWorkers({ trial, app: appOf, newRunId, work }: Tried): void {
  const { before } = trial;

  it("a run that is started twice is started once", async () => {
    const app = appOf();
    const runId = newRunId();
    const tools = await startTools();
    await app.start(runId);
    await app.start(runId);
    const worker = await work(tools);
    expect(await worker.until(wholeLog(app.runs, runId))).toEqual([...before, ...STEPS]);
    await endInOrder(worker);
    expect(await app.jobStates(runId)).toEqual(["completed"]);
  });

  it("after a worker is killed midway the job comes again, waits for the lease, and goes on there", async () => {
    const app = appOf();
    const runId = newRunId();
    const tools = await startTools();
    await app.start(runId);
    const held = tools.hold("hotel");
    const first = await work(tools, trial.mortal);
    await first.until(held);
    await first.end("SIGKILL");
    await app.findDead();
    const second = await work(tools, trial.attentive);
    expect(await second.until(wholeLog(app.runs, runId))).toEqual([...before, ...STEPS]);
    expect(tools.calls.map(({ tool }) => tool)).toEqual(["flight", "hotel", "hotel", "mail"]);
    expect(tools.calls[1]).toEqual(tools.calls[2]);
    await endInOrder(second);
    expect(new Set(await app.jobStates(runId))).toEqual(new Set(["completed"]));
  });

  it("a run that another worker has is not worked on before its lease has expired, and its job does not fail", async () => {
    const app = appOf();
    const runId = newRunId();
    const tools = await startTools();
    await app.startOnce(runId);
    // However long the worker takes to start, it finds the run claimed.
    const { fence, expiresAt } = await app.runs.claim(runId, { leaseMs: 3_600_000 });
    const worker = await work(tools);
    const isPutOff = expect.poll(() => app.dueAt(runId)).toBe(Date.parse(expiresAt));
    await worker.until(Promise.resolve(isPutOff));
    expect(tools.calls).toEqual([]);
    await app.runs.release(runId, fence);
    await app.bringForward(runId);
    expect(await worker.until(wholeLog(app.runs, runId))).toEqual([...before, ...STEPS]);
    await endInOrder(worker);
    expect(new Set(await app.jobStates(runId))).toEqual(new Set(["completed"]));
    expect(await app.deliveries(runId)).toBe(2);
  });

  it("a run that is cancelled stops its worker, and its job is done", async () => {
    const app = appOf();
    const runId = newRunId();
    const tools = await startTools();
    await app.start(runId);
    const held = tools.hold("hotel");
    const worker = await work(tools);
    const { closed } = await worker.until(held);
    await app.runs.cancel(runId);
    await worker.until(closed);
    await endInOrder(worker);
    const log = [...before, ...STEPS.slice(0, 3), "RUN_CANCELLED"];
    expect(await wholeLog(app.runs, runId)).toEqual(log);
    expect(await app.jobStates(runId)).toEqual(["completed"]);
  });
}

/** The task that asks, in place of the agent. */
const ASKING: Edit = [
  'import { agent } from "../agent.mjs";',
  'import { approval as agent } from "../approval.mjs";',
];

function testQuestions({ trial, app: appOf, newRunId, work }: Tried): void {
  it("W40: a run that is parked waits without a job and without a worker, and goes on with the answer", async () => {
    const app = appOf();
    const runId = newRunId();
    const tools = await startTools();
    await app.start(runId);
    const first = await work(tools, [ASKING]);
    await first.until(
      Promise.resolve(expect.poll(() => app.jobStates(runId)).toEqual(["completed"])),
    );
    expect(await app.runs.get(runId)).toMatchObject({ runStatus: "waiting" });
    await first.end("SIGKILL");
    await app.answer(runId, { approved: true });
    await app.answer(runId, { approved: true });
    const second = await work(tools, [ASKING]);
    expect(await second.until(wholeLog(app.runs, runId))).toEqual([
      ...trial.before,
      "INPUT_REQUESTED",
      "INPUT_RECEIVED",
      "RUN_COMPLETED",
    ]);
    expect(tools.calls).toEqual([{ tool: "mail", key: `${runId} mail` }]);
    await endInOrder(second);
  });
}

function testAttempts({ trial, app: appOf, newRunId, work }: Tried): void {
  const { before } = trial;

  it("a step that fails is tried again by the job's next attempt: the run has not failed", async () => {
    const app = appOf();
    const runId = newRunId();
    const tools = await startTools();
    tools.fail("hotel", 1);
    await app.start(runId);
    const worker = await work(tools);
    expect(await worker.until(wholeLog(app.runs, runId))).toEqual([...before, ...STEPS]);
    expect(tools.calls.map(({ tool }) => tool)).toEqual(["flight", "hotel", "hotel", "mail"]);
    await endInOrder(worker);
    expect(await app.jobStates(runId)).toEqual(["completed"]);
  });

  it("the run fails with the job's last attempt", async () => {
    const app = appOf();
    const runId = newRunId();
    const tools = await startTools();
    tools.fail("hotel", 1);
    await app.startOnce(runId);
    const worker = await work(tools);
    const log = [...before, ...STEPS.slice(0, 3), "RUN_FAILED"];
    expect(await worker.until(wholeLog(app.runs, runId))).toEqual(log);
    await endInOrder(worker);
    expect(await app.jobStates(runId)).toEqual(["failed"]);
  });

  it("a worker that gets SIGTERM releases run and job, and another goes on at once", async () => {
    const app = appOf();
    const runId = newRunId();
    const tools = await startTools();
    // Were it counted as an attempt, it would be the last.
    await app.startOnce(runId);
    const held = tools.hold("hotel");
    const first = await work(tools);
    await first.until(held);
    await endInOrder(first);
    const second = await work(tools);
    expect(await second.until(wholeLog(app.runs, runId))).toEqual([...before, ...STEPS]);
    await endInOrder(second);
    expect(new Set(await app.jobStates(runId))).toEqual(new Set(["completed"]));
  });
}
