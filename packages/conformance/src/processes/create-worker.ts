import { isTerminal } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { assert } from "../assert.ts";
import { type NotificationCounter, countNotifications } from "../notification-counter.ts";
import { runSteps } from "../concurrent/run-steps.ts";
import { describeError } from "../describe-error.ts";
import { idOf } from "../history/named-event.ts";
import { createRecorder, readLoggedEvents, type Recorder } from "../history/recorder.ts";
import { readRun } from "../read-log.ts";
import { type KitStore, kitStore, OWNER } from "../kit-store.ts";
import { askOnce, callOf, untilAnswered } from "./ask-store.ts";
import { createLoad, type Load } from "./load.ts";
import { runCasesOn } from "./run-cases-on.ts";
import { sendUntilKnown } from "./send-until-known.ts";
import { createCrashCommands } from "./crash-commands.ts";
import { turnClock } from "./turn-clock.ts";
import type { CreatedRun, Followed, Report, WorkerCommands } from "./worker-commands.ts";

/** What the author's module exports. */
interface StoreModule {
  readonly open?: (place: unknown) => RunEventStore | Promise<RunEventStore>;
}

/** @param report reports to the parent, and resolves once nothing can keep the report from it */
export function createWorker(report: (report: Report) => Promise<void>): WorkerCommands {
  const counters = new Map<string, NotificationCounter>();
  let opened: KitStore | null = null;
  let startedAt = 0n;
  let load: Load | null = null;
  let followed = (): Followed => ({ count: 0, isWaiting: false });

  function storeOf(): KitStore {
    assert(opened !== null, "a worker opens its store first");
    return opened;
  }

  /** Nanoseconds on the system's monotonic clock, which all processes of a machine share. */
  function now(): number {
    return Number(process.hrtime.bigint() - startedAt);
  }

  return {
    async open({ module, place, ...input }) {
      startedAt = BigInt(input.startedAt);
      // Before the author's module is loaded, since it may keep references to the clock.
      if (input.clockAheadMs !== 0) turnClock(input.clockAheadMs);
      const { open } = (await import(module)) as StoreModule;
      assert(typeof open === "function", `${module} exports a function \`open\``);
      opened = kitStore(await open(place));
      return opened.capabilities;
    },
    async create({ runIds }) {
      return createRuns(storeOf(), runIds);
    },
    async runSteps({ name, prefix, steps }) {
      const recorder = createRecorder(now);
      await runAlone(recorder, recorder.client(name, storeOf()), { name, prefix, steps });
      return recorder.operations;
    },
    async subscribe({ runId }) {
      const counter = countNotifications(storeOf(), runId);
      counters.set(runId, counter);
      await counter.ready;
      return null;
    },
    async follow({ runId, isPatient }) {
      const counter = counters.get(runId);
      assert(counter !== undefined, `a counter hangs on ${runId}`);
      const read = (since: number) => readRun(storeOf(), runId, { since });
      const following = followCounter(
        counter,
        isPatient ? (since) => untilAnswered(() => read(since)) : read,
      );
      ({ followed } = following);
      const ids = await following.ended;
      counter.stop();
      counters.delete(runId);
      return ids;
    },
    async followed() {
      return followed();
    },
    ask: (call) => askOnce(storeOf(), call),
    askUntilAnswered: (call) => untilAnswered(() => callOf(storeOf(), call)),
    async runCases({ names }) {
      await runCasesOn(storeOf(), names);
      return null;
    },
    async load({ name, runIds, manner }) {
      load = createLoad({ store: storeOf(), name, runIds, manner, now, report });
      return { failure: await load.ended };
    },
    async stop() {
      load?.stop();
      return null;
    },
    async send({ name, appends }) {
      const recorder = createRecorder(now);
      const client = recorder.client(name, storeOf());
      for (const one of appends) await sendUntilKnown(client, recorder, one);
      return recorder.operations;
    },
    ...createCrashCommands(storeOf, now),
    async readLogs({ runIds }) {
      return findLogs(storeOf(), runIds);
    },
  };
}

async function createRuns(
  store: KitStore,
  runIds: readonly string[],
): Promise<readonly CreatedRun[]> {
  const created: CreatedRun[] = [];
  for (const runId of runIds) {
    const answer = await store.createRun({ runId, ownerId: OWNER, metadata: "null" });
    const ordinal = "run" in answer ? answer.run.ordinal : null;
    created.push({ runId, outcome: answer.outcome, ordinal });
  }
  return created;
}

/** Reads a run to its end, only after notifications. */
function followCounter(
  counter: NotificationCounter,
  read: (since: number) => ReturnType<typeof readRun>,
): { readonly followed: () => Followed; readonly ended: Promise<readonly string[]> } {
  const ids: string[] = [];
  let isWaiting = false;

  async function follow(): Promise<readonly string[]> {
    for (;;) {
      const counted = counter.notifyCount();
      const { run, events } = await read(ids.length);
      ids.push(...events.map(idOf));
      if (isTerminal(run.runStatus) && ids.length === run.lastSequence) return ids;
      if (ids.length < run.lastSequence) continue;
      isWaiting = counter.notifyCount() === counted;
      await counter.past(counted);
      isWaiting = false;
    }
  }

  return { followed: () => ({ count: ids.length, isWaiting }), ended: follow() };
}

async function findLogs(
  store: KitStore,
  runIds: readonly string[],
): Promise<Awaited<ReturnType<WorkerCommands["readLogs"]>>> {
  const logs = [];
  for (const runId of runIds) {
    const run = await store.getRun(runId);
    logs.push(run === null ? null : await readLoggedEvents(store, runId));
  }
  return logs;
}

/** Nothing is broken on purpose here: what other processes do is no reason to fail. */
async function runAlone(
  recorder: Recorder,
  client: ReturnType<Recorder["client"]>,
  { name, prefix, steps }: Parameters<WorkerCommands["runSteps"]>[0],
): Promise<void> {
  const fresh = { heads: new Map<string, number>(), fences: new Map<string, number>() };
  await runSteps({ client, name: `${name}.`, prefix, ...fresh }, steps);
  const [failure] = recorder.failures;
  const why = describeError(failure);
  assert(failure === undefined, `no append fails while others run (S4), got ${why}`);
}
