import { setImmediate } from "node:timers/promises";
import { RunEventsError } from "@tm/run-events-core";
import type { KitStore } from "../kit-store.ts";
import { describeError } from "../describe-error.ts";
import { createRecorder } from "../history/recorder.ts";
import { createAskingCalls } from "./asking-calls.ts";
import { createLeasedCalls } from "./leased-calls.ts";
import { createStartingCalls } from "./starting-calls.ts";
import { createUpkeepCalls } from "./upkeep-calls.ts";
import { idsOf, plainAppend } from "./plain-append.ts";
import type { LoadManner, Report } from "./worker-commands.ts";

/** Who appends where, until a crash. */
export interface LoadOptions {
  readonly store: KitStore;
  /** Of the client; no other has it. */
  readonly name: string;
  /** The ids of the runs; with the manner `starting` they are topics, and `upkeep` needs no ids. */
  readonly runIds: readonly string[];
  readonly manner: LoadManner;
  readonly now: () => number;
  readonly report: (report: Report) => Promise<void>;
}

/** Appends under way. */
export interface Load {
  /** Ends it after the call that is under way. */
  stop(): void;
  /**
   * What the store failed with; `null` once it was stopped.
   * @throws what the store must not throw
   */
  readonly ended: Promise<string | null>;
}

/** Every this many calls there is a read, no key, or a second request. */
const READ_EVERY = 5;
const KEYLESS_EVERY = 3;
const PAIR_EVERY = 4;
const PAGE_LIMIT = 1_000;

/** Starts to append to the runs in turn, each call announced before it is made. */
export function createLoad({ store, name, runIds, manner, now, report }: LoadOptions): Load {
  const recorder = createRecorder(now, (begun) => report({ begun }));
  const client = recorder.client(name, store);
  const heads = new Map<string, number>();
  let stopped = false;

  async function callOnce(count: number): Promise<void> {
    const runId = runIds[count % runIds.length] ?? "";
    if (count % READ_EVERY === 0) {
      heads.set(runId, await client.read(runId, heads.get(runId) ?? 0, PAGE_LIMIT));
      return;
    }
    const key = count % KEYLESS_EVERY === 0 ? null : `${name}.${count}`;
    const other = runIds[(count + 1) % runIds.length] ?? "";
    const requests = [plainAppend(runId, idsOf(`${name}.${count}`, 3), key)];
    if (count % PAIR_EVERY === 0)
      requests.push(plainAppend(other, idsOf(`${name}.${count}+`, 1), null));
    await client.append(requests);
  }

  const call = callerOf();

  function callerOf(): (count: number) => Promise<void> {
    // No other load has this name, not even another load of the same process.
    const unique = `${name}.${now()}`;
    switch (manner) {
      case "plain":
        return callOnce;
      case "leased":
        return createLeasedCalls(client, unique, runIds);
      case "starting":
        return createStartingCalls({ client, store, name: unique, topics: runIds });
      case "asking":
        return createAskingCalls(client, runIds);
      case "upkeep":
        return createUpkeepCalls({ client, store, name: unique });
    }
  }

  /** @returns what the store failed with */
  async function callAndReport(count: number): Promise<string | null> {
    const before = recorder.operations.length;
    let failure: string | null = null;
    try {
      await call(count);
    } catch (error) {
      // A read; what an append failed with is in its record.
      if (!(error instanceof RunEventsError)) throw error;
      failure = describeError(error);
    }
    const ended = recorder.operations.slice(before);
    if (ended.length > 0) await report({ ended });
    const failed = ended.find(
      (one) => one.kind !== "read" && ["unknown", "failed"].includes(one.result.outcome),
    );
    const [why] = recorder.failures;
    return failed === undefined ? failure : `a call failed: ${describeError(why)}`;
  }

  async function run(): Promise<string | null> {
    for (let count = 1; !stopped; count++) {
      const failure = await callAndReport(count);
      if (failure !== null) return failure;
      // With a store that answers at once, the command to stop would never be received.
      await setImmediate();
    }
    return null;
  }

  return {
    stop() {
      stopped = true;
    },
    ended: run(),
  };
}
