import type { BeneathBreakage } from "../beneath-doors.ts";
import type { Faults } from "./mutant.ts";

type Size = Parameters<NonNullable<BeneathBreakage["wastes"]>>[1];

/** Looks at too many rows in one call. */
function wastes(wasteful: string, rowsOf: (size: Size) => number): BeneathBreakage {
  return { wastes: (call, size) => (call === wasteful ? { rows: rowsOf(size) } : {}) };
}

/** Stores whose fault shows beneath them alone. */
export const beneathFaults: Faults<BeneathBreakage> = {
  "S17 keeps the events of a run that it removes": { keepsRemoved: true },
  "S17 keeps the events of old runs that it removes": { keepsRemoved: true },
  "S12 counts the events of a run to append to it": wastes("append", ({ events }) => events),
  "S12 reads all runs to find those that no worker works on": wastes("queued", ({ runs }) => runs),
  "S12 reads all of the owner's runs to list those of a topic": wastes("topic", ({ runs }) => runs),
  "S12 reads all of the owner's runs to list the newest": wastes("all", ({ runs }) => runs),
  "S5 takes a known key for a new one once its receipt is lost": { forgetsReceipts: true },
  "S5 forgets a key after a day": { forgetsKeysInTime: true },
  "S31 probes without writing": { probesNothing: true },
  "S31 acknowledges what it cannot write": { writesNothing: true },
  "S31 writes nothing once it could not write for a while": { staysFull: true },
};
