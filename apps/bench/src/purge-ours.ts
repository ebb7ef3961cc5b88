import { setTimeout as pause } from "node:timers/promises";
import { APPEND_EVENT_BYTES, OWNER, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { openLog } from "./lease-log.ts";
import { PURGE_CALLERS, PURGE_EVENTS, type PurgeWorker } from "./purge-worker.ts";
import { sampleEvent } from "./sample-event.ts";

/** How many runs are filled at once. */
const AT_ONCE = 64;
/** How long a caller waits between two appends, in milliseconds: some load, and no more than that. */
const PACE_MS = 5;

const runs = await openLog(process.argv[2] ?? "", PURGE_CALLERS);
const event = sampleEvent(APPEND_EVENT_BYTES);
let filled = 0;

async function fillOne(): Promise<void> {
  filled += 1;
  const runId = `old-${process.pid}-${filled}`;
  await runs.create({ ownerId: OWNER, runId });
  const events = Array.from({ length: PURGE_EVENTS - 1 }, () => event);
  await runs.append(runId, [...events, { eventType: "RUN_COMPLETED" }]);
}

/** Appends one event after the other until it is time. @returns how long each took, in milliseconds */
async function appendUntil(runId: string, isOver: () => boolean): Promise<readonly number[]> {
  const tookMs: number[] = [];
  while (!isOver()) {
    const startedAt = performance.now();
    await runs.append(runId, [event]);
    tookMs.push(performance.now() - startedAt);
    await pause(PACE_MS);
  }
  return tookMs;
}

serveParent<PurgeWorker>({
  async fill(count: number) {
    let left = count;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (left-- > 0) await fillOne();
      }),
    );
  },
  async append(millis: number) {
    const endsAt = performance.now() + millis;
    const tookMs = await Promise.all(
      Array.from({ length: PURGE_CALLERS }, (_, caller) =>
        appendUntil(runIdOf(caller), () => performance.now() >= endsAt),
      ),
    );
    return tookMs.flat();
  },
  async purge({ count, limit, share }) {
    const startedAt = performance.now();
    let gone = 0;
    while (gone < count) {
      const batchAt = performance.now();
      const purged = await runs.purge({ finishedForMs: 0, limit });
      if (purged.length === 0) break;
      gone += purged.length;
      await pause((performance.now() - batchAt) * (1 / share - 1));
    }
    return { gone, tookMs: performance.now() - startedAt };
  },
});
