import { createPostgresStore } from "@tm/run-events-postgres";
import { CALLERS, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { createPool } from "./postgres-log.ts";

/** A second process on a database, which watches every run. */
export interface NotifyListener {
  /** Resolves when each run's bell has rung since the last call, with how often they did in all. */
  rung(): Promise<number>;
}

const store = createPostgresStore(createPool(process.argv[2] ?? ""));
let silent = new Set<string>();
let rings = 0;
let onRung = (): void => {};

function begin(): void {
  silent = new Set(Array.from({ length: CALLERS }, (_, index) => runIdOf(index)));
  rings = 0;
}

begin();
for (const runId of silent) {
  store.watch(runId, () => {
    rings += 1;
    silent.delete(runId);
    if (silent.size === 0) onRung();
  });
}

serveParent<NotifyListener>({
  async rung() {
    if (silent.size > 0) await new Promise<void>((resolve) => (onRung = resolve));
    const count = rings;
    begin();
    return count;
  },
});
