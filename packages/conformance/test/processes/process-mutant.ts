import type { Change, Head, Plain, PlainLanding } from "@tm/run-events-core/store";
import { mapChanges } from "../mutants/inner-store.ts";
import type { Entry, Journal } from "./journal.ts";
import { appendInOrder, type JournalStore } from "./journal-store.ts";

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
}

/** The slot of the journal that some mutants take as their lock. */
export const LOCK = "lock";

/** An entry as a store has it that forgets keys. */
export function withoutKey(entry: Entry): Entry {
  return "plain" in entry
    ? { ...entry, plain: { ...entry.plain, idempotencyKey: null } }
    : { ...entry, written: { ...entry.written, receipts: [] } };
}

/** An entry whose head passes through `change`, if it has one. */
export function mapHead(entry: Entry, change: (head: Head, isNew: boolean) => Head): Entry {
  if ("plain" in entry || entry.written.after === null) return entry;
  const { isNew, after } = entry.written;
  return { ...entry, written: { ...entry.written, after: change(after, isNew) } };
}

/** The head without the key of the claim that got it its lease. */
export function withoutClaimKey(head: Head): Head {
  const { keptClaim: _, ...extra } = JSON.parse(head.extra) as Record<string, unknown>;
  return { ...head, extra: JSON.stringify(extra) };
}

/** Whether a process lives. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** How far the clock of this process is ahead of the journal's. */
export function aheadMs(journal: Journal): number {
  return Date.now() - journal.now();
}

/** Replaces how one plain append or renewal is made. */
export function appendEach(
  store: JournalStore,
  one: (plain: Plain) => Promise<PlainLanding | null>,
): void {
  store.append = (plains) => appendInOrder(plains, one);
}

/** Replaces how one run is changed. */
export function changeEach(
  store: JournalStore,
  one: <Answer>(change: Change<Answer>) => Promise<Answer>,
): void {
  store.change = (changes) => Promise.all(changes.map((change) => one(change)));
}

/** Replaces what decisions see, and what is committed of them. */
export function changeAs(store: JournalStore, how: Parameters<typeof mapChanges>[1]): void {
  Object.assign(store, mapChanges({ ...store }, how));
}
