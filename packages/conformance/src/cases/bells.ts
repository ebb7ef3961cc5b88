import { createRunEvents } from "@tm/run-events-core";
import type { RunEventStore, Watch } from "@tm/run-events-core/store";
import { appendRequest, event, events, land } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { type Bell, hangBell } from "../bell.ts";
import { createHandClock } from "../hand-clock.ts";
import { createRun, readPage } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";
import { within } from "../within.ts";
import { wrapStore } from "../wrap-store.ts";

const ROUNDS = 5;
/** Watches before and behind those that a case is about. */
const OTHER_WATCHES = 100;

/** S13, S14: a bell says that there may be something new, until it is stopped. */
export const bells: readonly TrialCase[] = [
  {
    name: "S13 every commit after `ready` rings",
    async run({ store }) {
      await createRun(store, "run");
      const bell = await readyBell(store, "run");
      for (let round = 0; round < ROUNDS; round++) {
        await allRing([bell], () => land(store, "run", events(1)));
      }
      await allRing([bell], () => land(store, "run", [event("RUN_COMPLETED")]));
      bell.stop();
    },
  },
  {
    name: "S13 creating and deleting a run ring",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      const hung = await Promise.all(stores.map((one) => readyBell(one, "run")));
      await allRing(hung, () => createRun(store, "run"));
      await allRing(hung, () => land(store, "run", [event("RUN_COMPLETED")]));
      await allRing(hung, () => store.deleteRun("run", null));
      await allRing(hung, () => createRun(store, "run"));
      for (const bell of hung) bell.stop();
    },
  },
  {
    name: "S13 each run of one call rings, whatever becomes of the other requests and however many watches there are",
    async run({ store }) {
      const ids = ["run-a", "run-b", "r".repeat(128)];
      for (const runId of ids) await createRun(store, runId);
      const others = (side: string): readonly Bell[] =>
        Array.from({ length: OTHER_WATCHES }, (_, index) => hangBell(store, `${side}-${index}`));
      const before = others("before");
      const hung = ids.map((runId) => hangBell(store, runId));
      const all = [...before, ...hung, ...others("behind")];
      await Promise.all(all.map((bell) => bell.ready));
      await allRing(hung, () =>
        store.append(["nowhere", ...ids].map((runId) => appendRequest(runId, events(1)))),
      );
      for (const bell of all) bell.stop();
    },
  },
  {
    name: "S13 commits ring at every store object that is open on the data",
    async run(trial) {
      const stores = await trial.stores();
      await createRun(trial.store, "run");
      const hung = await Promise.all(stores.map((one) => readyBell(one, "run")));
      for (const one of stores) await allRing(hung, () => land(one, "run", events(1)));
      for (const bell of hung) bell.stop();
    },
  },
  {
    name: "S13 a reader that reads when woken, and only then, comes to see every commit",
    async run(trial) {
      const { store } = trial;
      const stores = await trial.stores();
      await createRun(store, "run");
      const writes = async (): Promise<void> => {
        for (let round = 0; round < ROUNDS; round++) await land(store, "run", events(1));
        await land(store, "run", [event("RUN_COMPLETED")]);
      };
      const followers = stores.map((one) => follow(one, "run", ROUNDS + 1));
      await Promise.all([writes(), ...followers]);
    },
  },
  {
    name: "S13 `wake` is never called from within `watch`",
    async run({ store }) {
      await createRun(store, "run");
      let returned = false;
      let rangWithin = false;
      const watch = store.watch("run", () => {
        rangWithin ||= !returned;
      });
      returned = true;
      await within(store.capabilities.wakeDeadlineMs, watch.ready, "`ready` of the watch");
      watch.stop();
      assertEqual(rangWithin, false, "whether it rang within");
    },
  },
  {
    name: "S14 a stopped watch is silent, and stopping it again changes nothing",
    async run({ store }) {
      await createRun(store, "run");
      const stoppedAtOnce = hangBell(store, "run");
      stoppedAtOnce.stop();
      const stopped = await readyBell(store, "run");
      const other = await readyBell(store, "run");
      await allRing([stopped], () => land(store, "run", events(1)));
      stopped.stop();
      stopped.stop();
      const heard = [stopped.rings(), stoppedAtOnce.rings()];
      for (let round = 0; round < ROUNDS; round++) {
        await allRing([other], () => land(store, "run", events(1)));
      }
      assertEqual([stopped.rings(), stoppedAtOnce.rings()], heard, "the rings after stop");
      other.stop();
    },
  },
  {
    name: "S14 `ready` settles although the watch is stopped at once",
    async run({ store }) {
      await createRun(store, "run");
      const watch = store.watch("run", () => {});
      watch.stop();
      const settled = Promise.allSettled([watch.ready]);
      await within(store.capabilities.wakeDeadlineMs, settled, "`ready` to settle");
    },
  },
  {
    name: "S14 the same function on two watches is stopped on one alone",
    async run({ store }) {
      await createRun(store, "run");
      let first: Watch | undefined;
      const twice = wrapStore(store, {
        watch(runId, wake) {
          first = store.watch(runId, wake);
          return store.watch(runId, wake);
        },
      });
      const bell = await readyBell(twice, "run");
      await first?.ready;
      first?.stop();
      await allRing([bell], () => land(store, "run", events(1)));
      bell.stop();
    },
  },
  {
    name: "S14 a watch that is stopped by its own ring is silent from then on",
    async run({ store }) {
      await createRun(store, "run");
      const other = await readyBell(store, "run");
      const bell = hangBell(store, "run", () => bell.stop());
      await bell.ready;
      await land(store, "run", events(1));
      await bell.past(0);
      for (let round = 0; round < ROUNDS; round++) {
        await allRing([other], () => land(store, "run", events(1)));
      }
      assertEqual(bell.rings(), 1, "the number of rings");
      other.stop();
    },
  },
  {
    name: "S14 a watch that is stopped by the ring of another is silent from then on",
    async run({ store }) {
      await createRun(store, "run");
      const watches: Watch[] = [];
      let stopped: number | undefined;
      let late = 0;
      const pair = wrapStore(store, {
        watch(runId, wake) {
          const ringOf = (index: number) => () => {
            const other = watches[1 - index];
            if (stopped === index) late += 1;
            else if (other !== undefined) {
              stopped = 1 - index;
              other.stop();
            }
            wake();
          };
          for (const index of [0, 1]) watches.push(store.watch(runId, ringOf(index)));
          return {
            ready: Promise.allSettled(watches.map((watch) => watch.ready)).then(() => {}),
            stop: () => watches.forEach((watch) => watch.stop()),
          };
        },
      });
      const bell = await readyBell(pair, "run");
      for (let round = 0; round < ROUNDS; round++) {
        await allRing([bell], () => land(store, "run", events(1)));
      }
      assertEqual(late, 0, "the number of rings after the stop");
      bell.stop();
    },
  },
];

/** S15: correctness never hangs on a bell. */
export const lostBells: readonly TrialCase[] = [
  {
    name: "S15 reads need no watch",
    async run(trial) {
      const { store } = trial;
      await createRun(store, "run");
      for (const one of await trial.stores()) {
        await land(store, "run", events(1));
        const { lastSequence } = (await readPage(one, "run"))?.run ?? {};
        assertEqual(lastSequence, (await store.getRun("run"))?.lastSequence, "the head");
      }
    },
  },
  {
    name: "S15 with every bell lost a tail still gets every event",
    async run({ store }) {
      await createRun(store, "run");
      const clock = createHandClock();
      const silent = wrapStore(store, { watch: (runId) => store.watch(runId, () => {}) });
      const tail = createRunEvents({ store: silent, clock }).tail("run")[Symbol.asyncIterator]();
      await land(store, "run", events(1));
      const sequences = [(await within(0, tail.next(), "the first event")).value?.sequence];
      for (let round = 0; round < ROUNDS; round++) {
        const next = tail.next();
        await land(store, "run", [event(round === ROUNDS - 1 ? "RUN_COMPLETED" : "TOKEN")]);
        clock.tick();
        sequences.push((await within(0, next, "the next event")).value?.sequence);
      }
      assertEqual(sequences, [1, 2, 3, 4, 5, 6], "the sequences");
      assertEqual((await within(0, tail.next(), "the end")).done, true, "whether the tail ended");
    },
  },
];

/** Fails unless each bell rings after the call began. */
async function allRing(hung: readonly Bell[], call: () => Promise<unknown>): Promise<void> {
  const heard = hung.map((bell) => bell.rings());
  await call();
  await Promise.all(hung.map((bell, index) => bell.past(heard[index] ?? 0)));
}

async function readyBell(store: RunEventStore, runId: string): Promise<Bell> {
  const bell = hangBell(store, runId);
  await bell.ready;
  return bell;
}

/** Reads once, then once a ring, until the run has so many events. */
async function follow(store: RunEventStore, runId: string, count: number): Promise<void> {
  const bell = await readyBell(store, runId);
  for (let since = 0; ;) {
    const heard = bell.rings();
    const page = await readPage(store, runId, { since });
    since += page?.events.length ?? 0;
    if (since >= count) break;
    await bell.past(heard);
  }
  bell.stop();
}
