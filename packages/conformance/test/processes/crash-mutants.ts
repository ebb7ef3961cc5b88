import { setTimeout } from "node:timers/promises";
import { RunEventsError } from "@tm/run-events-core";
import { nameKey, type Plain } from "@tm/run-events-core/store";
import { changeAlone, changesEach, plainAlone, seeNow } from "../mutants/inner-store.ts";
import type { Faults } from "../mutants/mutant.ts";
import {
  appendEach,
  hideReceipts,
  isAlive,
  LOCK,
  type ProcessFault,
  runsIn,
  type Shared,
} from "./process-mutant.ts";

const FLUSH_MS = 25;
const INTENT_MS = 20;
const LOCK_TRIES = 300;
const LOCK_PAUSE_MS = 1;
const LOCKED_MS = 10;

/** Does what one of the mutants does, and says so: nothing is wrong with it. */
export const HUMBLE: Readonly<Record<string, ProcessFault>> = {
  async humble({ capabilities }, shared) {
    await forgetWithoutProcess(shared);
    return { capabilities: { ...capabilities, durability: "memory" } };
  },
};

async function forgetWithoutProcess({ engine, keep, kept }: Shared): Promise<void> {
  const pids = [...(await kept()).values()];
  if (pids.length > 0 && !pids.some(isAlive)) {
    const range = { from: "!", to: "~", limit: 1_000_000, reverse: false };
    const all = await engine.read(({ scan }) => scan(range));
    await engine.commit(
      [],
      all.map(({ key }) => ({ key, value: null })),
    );
  }
  await keep(String(process.pid), process.pid);
}

/** Takes the lock. @throws RunEventsError if another process keeps it */
async function takeLock({ keep }: Shared): Promise<void> {
  for (let tries = 1; tries <= LOCK_TRIES; tries++) {
    if (await keep(LOCK, process.pid)) return;
    await setTimeout(LOCK_PAUSE_MS);
  }
  throw new RunEventsError("store_unavailable", "It is locked.");
}

/** Stores that only look whole until a process dies. */
export const crashFaults: Faults<ProcessFault> = {
  "S6 acknowledges what it writes only later"(store) {
    let pending: Promise<unknown> = Promise.resolve();
    return {
      append: async (plains) => plains.map(() => null),
      ...changesEach(async (change) => {
        await pending;
        const { answer, ...decision } = change.decide(await seeNow(store, change));
        const write = { ...change, decide: () => ({ answer: null, ...decision }) };
        pending = setTimeout(FLUSH_MS).then(() => changeAlone(store, write));
        return answer;
      }),
      read: (queries) => pending.then(() => store.read(queries)),
    };
  },
  async "S6 loses all with its last process, and declares that it outlives it"(_, shared) {
    await forgetWithoutProcess(shared);
    return {};
  },
  "S6 keeps its lock when it dies": (store, shared) =>
    appendEach(async (plain) => {
      await takeLock(shared);
      // The process is usually killed here.
      await setTimeout(LOCKED_MS);
      const landing = await plainAlone(store, plain);
      await shared.drop(LOCK);
      return landing;
    }),
  async "S7 forgets its keys when it is opened again"(store) {
    const before = await runsIn(store);
    return hideReceipts(store, ({ lastSequence }, name) => {
      const known = before.get(nameKey(name));
      return known !== undefined && lastSequence <= known.lastSequence;
    });
  },
  async "S6 recovers half of a batch after a crash"(store, { keep, drop, kept }) {
    for (const [slot, intent] of await kept()) {
      const plain = intent as Plain;
      await plainAlone(store, { ...plain, events: plain.events.slice(0, 1) });
      await drop(slot);
    }
    let count = 0;
    return appendEach(async (plain) => {
      const slot = `${process.pid} ${(count += 1)}`;
      await keep(slot, plain);
      await setTimeout(INTENT_MS);
      const landing = await plainAlone(store, plain);
      await drop(slot);
      return landing;
    });
  },
};
