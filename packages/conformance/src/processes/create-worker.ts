import { isTerminal } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { assert } from "../assert.ts";
import { type Bell, hangBell } from "../bell.ts";
import { runSteps } from "../concurrent/run-steps.ts";
import { describeError } from "../describe-error.ts";
import { idOf } from "../history/named-event.ts";
import { createRecorder, readLoggedEvents } from "../history/recorder.ts";
import { OWNER, readRun } from "../read-log.ts";
import { askOnce, callOf, untilAnswered } from "./ask-store.ts";
import { createLoad, type Load } from "./load.ts";
import { runCasesOn } from "./run-cases-on.ts";
import { sendUntilKnown } from "./send-until-known.ts";
import { turnClock } from "./turn-clock.ts";
import type { CreatedRun, Followed, Report, WorkerCommands } from "./worker-commands.ts";

/** What the author's module exports. */
interface StoreModule {
  readonly open?: (place: unknown) => RunEventStore | Promise<RunEventStore>;
}

/** @param tell reports to the parent, and resolves once nothing can keep the report from it */
export function createWorker(tell: (report: Report) => Promise<void>): WorkerCommands {
  const bells = new Map<string, Bell>();
  let opened: RunEventStore | null = null;
  let startedAt = 0n;
  let load: Load | null = null;
  let followed = (): Followed => ({ count: 0, isWaiting: false });

  function storeOf(): RunEventStore {
    assert(opened !== null, "a worker is told to open its store first");
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
      opened = await open(place);
      return opened.capabilities;
    },
    async create({ runIds }) {
      const created: CreatedRun[] = [];
      for (const runId of runIds) {
        const answer = await storeOf().createRun({ runId, ownerId: OWNER, metadata: "null" });
        const ordinal = answer.outcome === "taken" ? null : answer.run.ordinal;
        created.push({ runId, outcome: answer.outcome, ordinal });
      }
      return created;
    },
    async runSteps({ name, prefix, steps }) {
      const recorder = createRecorder(now);
      const client = recorder.client(name, storeOf());
      await runSteps(
        { client, name: `${name}.`, prefix, heads: new Map(), fences: new Map() },
        steps,
      );
      const [failure] = recorder.failures;
      // Nothing is broken on purpose here: what other processes do is no reason to fail.
      const why = describeError(failure);
      assert(failure === undefined, `no append fails while others run (S4), got ${why}`);
      return recorder.operations;
    },
    async watch({ runId }) {
      const bell = hangBell(storeOf(), runId);
      bells.set(runId, bell);
      await bell.ready;
      return null;
    },
    async follow({ runId, isPatient }) {
      const bell = bells.get(runId);
      assert(bell !== undefined, `a bell hangs on ${runId}`);
      const ids: string[] = [];
      followed = () => ({ count: ids.length, isWaiting });
      let isWaiting = false;
      for (;;) {
        const heard = bell.rings();
        const read = () => readRun(storeOf(), runId, { since: ids.length });
        const { run, events } = await (isPatient ? untilAnswered(read) : read());
        ids.push(...events.map(idOf));
        if (isTerminal(run.runStatus) && ids.length === run.lastSequence) break;
        if (ids.length < run.lastSequence) continue;
        isWaiting = bell.rings() === heard;
        await bell.past(heard);
        isWaiting = false;
      }
      bell.stop();
      bells.delete(runId);
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
      load = createLoad({ store: storeOf(), name, runIds, manner, now, tell });
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
    async readLogs({ runIds }) {
      const logs = [];
      for (const runId of runIds) {
        const run = await storeOf().getRun(runId);
        logs.push(run === null ? null : await readLoggedEvents(storeOf(), runId));
      }
      return logs;
    },
  };
}
