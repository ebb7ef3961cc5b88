// What the kit's processes open: a healthy store, or the mutant of that name.
import type { RunEventStore } from "@tm/run-events-core/store";
import { openJournal } from "./journal.ts";
import { createJournalStore } from "./journal-store.ts";
import { humble } from "./crash-mutants.ts";
import { processMutants } from "./mutants.ts";
import type { Variant } from "./process-mutant.ts";

/** A file, and who is to spoil the store on it. */
export interface JournalPlace {
  readonly file: string;
  readonly mutant: string | null;
}

export async function open({ file, mutant }: JournalPlace): Promise<RunEventStore> {
  const journal = openJournal(file);
  const store = createJournalStore(journal);
  const variants: readonly Variant[] = [...processMutants, humble];
  await variants.find(({ name }) => name === mutant)?.spoil(store, journal);
  return store;
}
