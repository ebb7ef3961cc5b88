import type { AppendOutcome, AppendRequest } from "@tm/run-events-core/store";
import type { Entry, Journal } from "./journal.ts";
import type { JournalStore } from "./journal-store.ts";

/** A journal store that does something else. */
export interface Variant {
  /** What it does. */
  readonly name: string;
  readonly spoil: (store: JournalStore, journal: Journal) => void | Promise<void>;
}

/** One that breaks one promise to many processes, or after a crash. */
export interface ProcessMutant extends Variant {
  /** The clause whose cases have to find it. */
  readonly clause: string;
  /** What the failure has to say. */
  readonly says: RegExp;
}

/** The slot of the journal that some mutants take as their lock. */
export const LOCK = "lock";

/** An entry as a store has it that forgets keys. */
export function withoutKey(entry: Entry): Entry {
  return "append" in entry
    ? { ...entry, append: { ...entry.append, idempotencyKey: null } }
    : entry;
}

/** Whether a process lives. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Replaces how one request is appended. */
export function appendEach(
  store: JournalStore,
  one: (request: AppendRequest) => Promise<AppendOutcome>,
): void {
  store.append = async (requests) => {
    const outcomes: AppendOutcome[] = [];
    for (const request of requests) outcomes.push(await one(request));
    return outcomes;
  };
}
