import { createRunEvents } from "@tm/run-events-core";
import { type AppendLoad, type AppendWriter, CALLERS } from "./append-load.ts";
import { openBareLog } from "./bare-log.ts";
import { runSubject, serveParent } from "./child.ts";
import { type Cost, measure } from "./rounds.ts";
import { OWNER, runIdOf } from "./run-ids.ts";
import { sampleEvent } from "./sample-event.ts";
import { openStore, type StoreKind } from "./stores.ts";

const RUN_IDS = Array.from({ length: CALLERS }, (_, index) => runIdOf(index));
const EVENT = sampleEvent(300);

/** Has the callers call, each one time after the other. */
function callTogether(
  { count, callers }: AppendLoad,
  call: (caller: number) => unknown,
): Promise<Cost> {
  let left = count;
  async function callAgain(caller: number): Promise<void> {
    while (left > 0) {
      left -= 1;
      await call(caller);
    }
  }
  return measure(count, async () => {
    await Promise.all(Array.from({ length: callers }, (_, caller) => callAgain(caller)));
  });
}

/** @param isFirst of those that share a store: it creates the runs */
async function serveOurs(kind = "", location = "", isFirst = ""): Promise<void> {
  const runs = createRunEvents({ store: await openStore(kind as StoreKind, location) });
  const ownerId = OWNER;
  if (isFirst === "true") for (const runId of RUN_IDS) await runs.create({ ownerId, runId });
  serveParent<AppendWriter>({
    append: (load) =>
      callTogether(load, (caller) =>
        runs.append(runIdOf(caller % load.runs), [EVENT], { ownerId }),
      ),
    work: (load) =>
      callTogether(load, async () => {
        const { runId } = await runs.create({ ownerId });
        await runs.work(runId, { ownerId, leaseMs: 30_000 }, (run) => run.emit(EVENT.eventType));
      }),
    async count() {
      const found = await Promise.all(RUN_IDS.map((runId) => runs.get(runId, { ownerId })));
      return found.reduce((sum, { lastSequence }) => sum + lastSequence, 0);
    },
  });
}

async function serveBare(kind = "", location = ""): Promise<void> {
  const log = await openBareLog(kind as StoreKind, location, RUN_IDS);
  serveParent<AppendWriter>({
    append: (load) =>
      callTogether(load, (caller) =>
        log.append(runIdOf(caller % load.runs), EVENT.eventType, JSON.stringify(EVENT.payload)),
      ),
    work: () => Promise.reject(new TypeError("The bare log has no workers.")),
    count: () => log.count(),
  });
}

await runSubject({ ours: serveOurs, bare: serveBare });
