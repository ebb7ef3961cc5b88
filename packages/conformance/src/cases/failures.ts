import { append, event, events, land } from "../append-request.ts";
import { assert } from "../assert.ts";
import { createRun } from "../read-log.ts";
import { HASTY, type KitStore, kitStore, OWNER } from "../kit-store.ts";
import { type Settled, settledNow } from "../settled.ts";
import { textsIn } from "../texts-in.ts";
import type { TrialCase } from "../trial.ts";

/** A piece of what is to be written. It comes again and again in it, so that a part of it shows, too. */
const PIECE = "hunter2";
const TEXT = `"${`${PIECE} `.repeat(16)}"`;

const KEYED = { idempotencyKey: "key" } as const;

/** Each call that has texts of a user, all of which hold the piece. */
const CALLS: Readonly<Record<string, (store: KitStore) => Promise<unknown>>> = {
  "a creation with metadata": (store) =>
    store.createRun({ runId: "new", ownerId: OWNER, metadata: TEXT }),
  "an append": (store) => append(store, "run", [event("TOKEN", TEXT)]),
  "an append under a key": (store) => append(store, "keyed", [event("TOKEN", TEXT)], KEYED),
  "an append of a phase": (store) =>
    append(store, "phased", [event("PHASE_STARTED", `{"phase":${TEXT}}`)]),
  "a batch": (store) => append(store, "batched", [...events(2), event("RUN_FAILED", TEXT)]),
};

/** The texts of users that the failures of a store show. @see clause S20 in `STORE.md` of `@tm/run-events-core` */
export const failures: readonly TrialCase[] = [
  {
    name: "S20 the failure of a call after close shows no payload, phase or metadata, in no error beneath it either",
    async run({ store }) {
      await prepare(store);
      await store.close();
      const calls = Object.values(CALLS).map((send) => send(store));
      assertUnshown(await settledNow(calls));
    },
  },
  {
    name: "S20 the failure of a call while writes are refused shows no payload, phase or metadata, in no error beneath it either",
    needs: "refuseWrites",
    async run({ store, beneath }) {
      await prepare(store);
      const restore = await beneath.refuseWrites(store.inner);
      const hasty = kitStore(store.inner, HASTY);
      const calls = Object.values(CALLS).map((send) => send(hasty));
      assertUnshown(await settledNow(calls));
      await restore();
      // The store may have let the calls wait until now.
      assertUnshown(await settledNow(calls));
    },
  },
];

async function prepare(store: KitStore): Promise<void> {
  for (const runId of ["run", "keyed", "phased", "batched"]) {
    await createRun(store, runId);
    await land(store, runId, events(1));
  }
}

function assertUnshown(settled: readonly Settled[]): void {
  for (const [index, name] of Object.keys(CALLS).entries()) {
    const outcome = settled[index] ?? "waiting";
    if (outcome === "waiting" || "answer" in outcome) continue;
    const isShown = textsIn(outcome.error).some((text) => text.includes(PIECE));
    // Without the error, which would show it again.
    assert(!isShown, `the failure of ${name} holds nothing of what was to be written`);
  }
}
