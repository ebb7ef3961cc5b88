import { createNotifier, type Subscription } from "@tm/run-events-core/store";

const PERIOD_MS = 25;

/** Notifications for a store that has none. */
export interface PolledNotifier {
  subscribe(runId: string, onNotification: () => void): Subscription;
  close(): void;
}

/**
 * Polls each subscribed run again and again, one round after the other.
 * @param versionOf what changes with each commit to the run
 */
export function createPolledNotifier(
  versionOf: (runId: string) => Promise<string>,
): PolledNotifier {
  const notifier = createNotifier();
  const seen = new Map<string, string>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let closed = false;

  async function pollAll(): Promise<void> {
    for (const runId of notifier.runIds()) {
      const found = await versionOf(runId).catch(() => null);
      // One that cannot be seen now may have changed.
      if (found === null || found !== seen.get(runId)) notifier.notify(runId);
      seen.set(runId, found ?? "");
    }
    timer = null;
    start();
  }

  function start(): void {
    if (closed || timer !== null || notifier.runIds().next().done === true) return;
    timer = setTimeout(() => void pollAll(), PERIOD_MS);
  }

  return {
    subscribe(runId, onNotification) {
      const stop = notifier.add(runId, onNotification);
      const ready = versionOf(runId).then((found) => {
        if (!seen.has(runId)) seen.set(runId, found);
        start();
      });
      // A caller that does not wait for `ready` learns of it from the next read.
      ready.catch(() => {});
      return { ready, stop };
    },
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      notifier.clear();
    },
  };
}
