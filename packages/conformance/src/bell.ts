import type { RunEventStore, Watch } from "@tm/run-events-core/store";
import { brokenIn } from "./assert.ts";
import { within } from "./within.ts";

/** A watch that counts its rings. Its `ready` fails when the store's own deadline for a ring is long past. */
export interface Bell extends Watch {
  rings(): number;
  /** Resolves once it has rung more than `heard` times. @throws Error when the ring does not come */
  past(heard: number): Promise<void>;
}

/**
 * Watches a run and counts.
 * @param onRing called at each ring, when it has been counted
 */
export function hangBell(store: RunEventStore, runId: string, onRing?: () => void): Bell {
  let count = 0;
  let waits: (() => void)[] = [];
  const watch = store.watch(runId, () => {
    count += 1;
    const waiting = waits;
    waits = [];
    for (const resolve of waiting) resolve();
    onRing?.();
  });

  async function ringAfter(heard: number): Promise<void> {
    while (count <= heard) await new Promise<void>((resolve) => waits.push(resolve));
  }

  async function owed(came: Promise<void>, what: string): Promise<void> {
    try {
      await within(store.capabilities.wakeDeadlineMs, came, what);
    } catch (error) {
      throw brokenIn("S13", error);
    }
  }

  return {
    // When it is asked for: nobody has to wait for it.
    get ready() {
      return owed(watch.ready, `\`ready\` of the watch of ${runId}`);
    },
    stop: () => watch.stop(),
    rings: () => count,
    past: (heard) => owed(ringAfter(heard), `a ring for ${runId}`),
  };
}
