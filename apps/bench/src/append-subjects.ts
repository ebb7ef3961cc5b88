import { createRunEvents } from "@tm/run-events-core";
import { type AppendLoad, type AppendWriter, CALLERS } from "./append-load.ts";
import { serveParent } from "./child.ts";
import { countEvents } from "./count-events.ts";
import { readUsage } from "./rounds.ts";
import { OWNER, runIdOf, runIdsOf } from "./run-ids.ts";
import { sampleEvent } from "./sample-event.ts";
import { openStore, type StoreKind } from "./stores.ts";

const RUN_IDS = runIdsOf(CALLERS);
const EVENT = sampleEvent(300);
const MINE = { ownerId: OWNER };

// The first of those that share a store creates the runs.
const [, , kind = "", location = "", isFirst = ""] = process.argv;
const runs = createRunEvents({ store: await openStore(kind as StoreKind, location) });
if (isFirst === "first") for (const runId of RUN_IDS) await runs.create({ ...MINE, runId });

/** Has the callers call, each one time after the other. */
async function callTogether(
  { count, callers }: AppendLoad,
  call: (caller: number) => Promise<unknown>,
): Promise<void> {
  let left = count;
  async function callAgain(caller: number): Promise<void> {
    while (left > 0) {
      left -= 1;
      await call(caller);
    }
  }
  await Promise.all(Array.from({ length: callers }, (_, caller) => callAgain(caller)));
}

serveParent<AppendWriter>({
  usage: readUsage,
  append: (load) =>
    callTogether(load, (caller) => runs.append(runIdOf(caller % load.runs), [EVENT], MINE)),
  work: (load) =>
    callTogether(load, async () => {
      const { runId } = await runs.create(MINE);
      await runs.work(runId, { ...MINE, leaseMs: 30_000 }, (run) => run.emit(EVENT.eventType));
    }),
  count: () => countEvents(runs, RUN_IDS),
});
