import { RUN_LOG } from "../rules/brand.ts";
import { describeValue } from "../rules/describe-value.ts";
import { MAX_BATCH_EVENTS, MAX_PAYLOAD_BYTES } from "../rules/event.ts";
import type { AppendLimits } from "../rules/lifecycle.ts";
import { checkOptions, ownerIdOf } from "../rules/owner.ts";
import { receiptOf } from "../rules/receipt.ts";
import { checkRunId } from "../rules/run-id.ts";
import { listenerOf } from "../rules/telemetry.ts";
import { checkStore } from "../store/check-store.ts";
import { systemClock } from "../time/clock.ts";
import { createProbe } from "../upkeep/probe.ts";
import { createUpkeep } from "../upkeep/upkeep.ts";
import { watchStore } from "../upkeep/watched-store.ts";
import { createAppends } from "./appends.ts";
import { Closing } from "./closing.ts";
import { createRunCalls } from "./run-calls.ts";
import { createLeases } from "./leases.ts";
import { createReads } from "./reads.ts";
import { observeAppends, observeUpkeep } from "./observe.ts";
import type { LogParts, RunEventsOptions, RunLog } from "./run-log.ts";
import { createRuns } from "./runs.ts";
import { readList } from "./watch-lists.ts";

/**
 * Opens the log over a store, with payloads as JSON text. For payloads as values, use `createRunEvents`.
 * @throws TypeError for a value that is not a store, or limits that are not numbers of 1 or more
 */
export function createRunLog(options: RunEventsOptions): RunLog {
  checkOptions(options, "{ store }");
  checkStore(options.store);
  const {
    store,
    maxPayloadBytes = MAX_PAYLOAD_BYTES,
    maxBatchEvents = MAX_BATCH_EVENTS,
    clock = systemClock,
    telemetry,
  } = options;
  checkCount("maxPayloadBytes", maxPayloadBytes);
  checkCount("maxBatchEvents", maxBatchEvents);
  const { mostBytes, mostEvents } = store.capabilities;
  const limits: AppendLimits = {
    maxPayloadBytes: Math.min(maxPayloadBytes, mostBytes),
    maxBatchEvents: Math.min(maxBatchEvents, mostEvents),
  };
  const closing = new Closing();
  const isClosing = (): boolean => closing.isClosing;
  const listener = listenerOf(telemetry);
  const report = listener?.report ?? null;
  const times = { clock, isClosing, report };
  const probe = createProbe(store, clock);
  const { store: watched, stalls } = watchStore(store, clock, probe);
  const calls = createRunCalls(watched, times);
  const runs = createRuns(calls, maxPayloadBytes);
  const appends = createAppends(calls, store.capabilities, limits);
  const { append, input } = report === null ? appends : observeAppends(appends, clock, report);
  const { followers, watches, ...reads } = createReads(watched, clock, maxPayloadBytes, report);
  const upkeep = createUpkeep(calls, clock, probe);
  // Objects of its own, so that no listener changes what another one gets.
  if (report !== null) store.observe?.((diagnostic) => report({ ...diagnostic }));

  const log: RunLog = {
    clock,
    limits,
    ...runs,
    append,
    input,
    async cancel(runId, owner) {
      const ownerId = ownerIdOf(owner);
      checkRunId(runId);
      const outcome = await appends.cancel(runId, ownerId);
      // If another caller has ended the run first, it has ended as this caller asked.
      if (outcome.outcome !== "finished") receiptOf(outcome, { expectedSequence: null });
      return runs.getRun(runId, owner);
    },
    readPage: reads.readPage,
    tailStart: reads.tailStart,
    waitFor: reads.waitFor,
    readList: async (options) => readList(watches, options),
    ...createLeases(calls),
    ...(report === null ? upkeep : observeUpkeep(upkeep, clock, report)),
    probe: async (which) => void (await probe(which)),
    close() {
      const readers = [followers, watches, stalls.reads, stalls.writes];
      return closing.close({ readers, queues: [calls, reads], store });
    },
  };
  const parts: LogParts = { followers, watches, closing, listener, stalls };
  // An object made of a log's members is a log, too.
  return Object.assign(log, { [RUN_LOG]: parts });
}

/** @throws TypeError unless the limit is a number of 1 or more */
function checkCount(name: string, value: unknown): void {
  if (typeof value === "number" && value >= 1) return;
  throw new TypeError(
    `Expected \`${name}\` to be 1 or more, got ${describeValue(value)}. Leave it out for the default.`,
  );
}
