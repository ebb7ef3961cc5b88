import type { Clock } from "../../time/clock.ts";
import { createPolledNotifications, type Notifications } from "../polled-notifications.ts";
import type { KvEngine } from "./engine.ts";
import { parseNumber } from "./keys.ts";
import { readHeads } from "./reads.ts";
import type { Committed } from "../sync-work.ts";

/** Notifies by polling the heads of the runs that have subscriptions, and sooner where the engine watches keys. */
export function createKvNotifications(
  engine: KvEngine,
  pollMs: number,
  clock: Clock,
): Notifications {
  let stopWatching: (() => void) | null = null;
  let isClosed = false;
  const polled = createPolledNotifications({
    pollMs,
    clock,
    selectPositions: (names) =>
      engine.read(async (snapshot) =>
        (await readHeads(snapshot, names)).flatMap(({ head }) => head ?? []),
      ),
  });
  return {
    ...polled,
    subscribe(subject, onNotification) {
      if (!isClosed) {
        stopWatching ??=
          engine.watch?.((keys) => {
            polled.committed(keys.flatMap((key) => committedOf(key) ?? []));
          }) ?? null;
      }
      return polled.subscribe(subject, onNotification);
    },
    close() {
      isClosed = true;
      stopWatching?.();
      polled.close();
    },
  };
}

/** The commit that has written a key: a chunk of a log has been appended, or a run created or removed. */
function committedOf(key: string): Committed | null {
  const [kind, owner = "", runId = "", ordinal = "", what, last = ""] = key.split("/");
  // Renewals and claims, which notify of nothing, write neither.
  if (kind !== "run" && kind !== "gone") return null;
  return {
    ownerId: decodeURIComponent(owner),
    runId,
    ordinal: parseNumber(ordinal),
    lastSequence: what === "log" ? parseNumber(last) : null,
  };
}
