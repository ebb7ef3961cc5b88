import { append, event, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import { OWNER } from "../kit-store.ts";
import type { TrialCase } from "../trial.ts";

/** Cases of S6 in `STORE.md`: what the store declares. */
export const declaration: readonly TrialCase[] = [
  {
    name: "S6 capabilities are declared, and `prepare` is given exactly if the data outlives the store",
    async run({ store, canReopen }) {
      const { durability, shared, joinsTransaction, losesAnswers, ...numbers } = store.capabilities;
      assert(
        ["memory", "process", "power", "unknown"].includes(durability),
        `durability is a known word, got ${durability}`,
      );
      for (const flag of [shared, joinsTransaction, losesAnswers]) {
        assert(typeof flag === "boolean", `a capability is true or false, got ${flag}`);
      }
      const { notifyWithinMs, appendsAtOnce } = numbers;
      assert(notifyWithinMs >= 0 && Number.isFinite(notifyWithinMs), "notifyWithinMs is a time");
      assert(
        Number.isSafeInteger(appendsAtOnce) && appendsAtOnce > 0,
        "appendsAtOnce is a positive count",
      );
      const outlives = durability !== "memory" || shared;
      assertEqual(
        { prepare: canReopen },
        { prepare: outlives },
        `whether ${shared ? "shared" : "unshared"} data of durability ${durability} has a place`,
      );
    },
  },
];

/** Cases of S6 and S17 in `STORE.md` for data that outlives its store object. */
export const reopening: readonly TrialCase[] = [
  {
    name: "S6 acknowledged events are there after close and reopen",
    needs: "prepare",
    async run(trial) {
      const { store } = trial;
      await createRun(store, "run", OWNER, '{"n":1.0}');
      await createRun(store, "quiet");
      await land(store, "run", [event("PHASE_STARTED", '{"phase":"plan"}'), ...events(3)]);
      const landing = await land(store, "run", events(2), { idempotencyKey: "key" });
      const log = await readLog(store, "run");
      const query = { ownerId: OWNER, runStatus: null, before: null, limit: 10 };
      const list = await store.listRuns(query);
      const again = await trial.reopen();
      assertEqual(await readLog(again, "run"), log, "the log");
      assertEqual(await again.listRuns(query), list, "the owner's runs");
      assertEqual(
        await append(again, "run", events(2), { idempotencyKey: "key" }),
        { outcome: "replayed", ...landing },
        "the receipt of a key",
      );
      assertEqual((await land(again, "run", events(1))).firstSequence, 7, "the next sequence");
    },
  },
];
