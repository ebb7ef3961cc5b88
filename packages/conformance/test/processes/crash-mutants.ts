import { setTimeout } from "node:timers/promises";
import { RunEventsError } from "@tm/run-events-core";
import type { Plain } from "@tm/run-events-core/store";
import type { Entry, Journal } from "./journal.ts";
import {
  appendEach,
  isAlive,
  LOCK,
  type ProcessMutant,
  type Variant,
  withoutKey,
} from "./process-mutant.ts";

const FLUSH_MS = 25;
const INTENT_MS = 20;
const LOCK_TRIES = 300;
const LOCK_PAUSE_MS = 1;
const LOCKED_MS = 10;

/** Does what one of the mutants does, and says so: nothing is wrong with it. */
export const humble: Variant = {
  name: "loses all with its last process, and declares it",
  spoil(store, journal) {
    forgetWithoutProcess(journal);
    Object.assign(store, { capabilities: { ...store.capabilities, durability: "memory" } });
  },
};

function forgetWithoutProcess(journal: Journal): void {
  const others = journal.kept().filter(([name]) => name.startsWith("process "));
  if (others.length > 0 && !others.some(([, pid]) => isAlive(Number(pid)))) journal.forgetAll();
  journal.keep(`process ${process.pid}`, process.pid);
}

/** The slot is there once. @throws RunEventsError if it stays so */
async function takeLock(journal: Journal): Promise<void> {
  for (let tries = 1; tries <= LOCK_TRIES; tries++) {
    try {
      journal.keep(LOCK, process.pid);
      return;
    } catch {
      await setTimeout(LOCK_PAUSE_MS);
    }
  }
  throw new RunEventsError("store_unavailable", "It is locked.");
}

/** Stores that only look whole until a process dies. */
export const crashMutants: readonly ProcessMutant[] = [
  {
    name: "acknowledges what it writes only later",
    clause: "S6",
    spoil(store) {
      const buffer: Entry[] = [];
      const { commit } = store;
      store.commit = (entry) => void ("written" in entry ? commit(entry) : buffer.push(entry));
      setInterval(() => {
        for (const entry of buffer.splice(0)) commit(entry);
      }, FLUSH_MS);
    },
  },
  {
    name: "loses all with its last process, and declares that it outlives it",
    clause: "S6",
    spoil: (_store, journal) => forgetWithoutProcess(journal),
  },
  {
    name: "keeps its lock when it dies",
    clause: "S6",
    spoil(store, journal) {
      appendEach(store, async (plain) => {
        await takeLock(journal);
        // It dies in here, as a rule.
        await setTimeout(LOCKED_MS);
        await store.catchUp();
        const landing = await store.appendBlindly(plain);
        journal.drop(LOCK);
        return landing;
      });
    },
  },
  {
    name: "forgets its keys when it is opened again",
    clause: "S7",
    spoil: (store) => store.catchUp(withoutKey),
  },
  {
    name: "recovers half of a batch after a crash",
    clause: "S6",
    async spoil(store, journal) {
      for (const [name, intent] of journal.kept()) {
        const plain = intent as Plain;
        await store.catchUp();
        await store.appendBlindly({ ...plain, events: plain.events.slice(0, 1) });
        journal.drop(name);
      }
      const { append } = store;
      let count = 0;
      appendEach(store, async (plain) => {
        const name = `${process.pid} ${(count += 1)}`;
        journal.keep(name, plain);
        await setTimeout(INTENT_MS);
        const [landing = null] = await append([plain]);
        journal.drop(name);
        return landing;
      });
    },
  },
];
