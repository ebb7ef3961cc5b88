import {
  type ConformanceCase,
  runEventStoreConformance,
  type StoreDoors,
} from "@tm/run-events-conformance";
import type { MigratableStore, RunEventStore } from "@tm/run-events-core/store";
import { sharedMemoryDoors } from "../shared-memory.ts";

/** A store that breaks one promise. The rules in front of it are core's own. */
export interface Mutant {
  /** A description of the fault. */
  readonly name: string;
  /** The clause whose cases have to find it. */
  readonly clause: string;
  /** All cases of the kit for this store. */
  readonly cases: () => readonly ConformanceCase[];
}

/** Faults by the clause whose cases have to find them, and what the store does: `S9 ignores maxBytes`. */
export type Faults<Fault = DataFault> = Readonly<Record<`${"S" | "W"}${number} ${string}`, Fault>>;

/** The calls that are wrong in the data beneath all store objects. */
export type DataFault = (data: RunEventStore) => Partial<RunEventStore>;

/** The calls that are wrong in each object that is opened on the data. */
export type ObjectFault = (object: RunEventStore, data: RunEventStore) => Partial<MigratableStore>;

/** All cases for one store. */
export function storeCases<Place = undefined>(
  doors: StoreDoors<Place>,
): readonly ConformanceCase[] {
  return runEventStoreConformance({ name: "mutant", ...doors });
}

/** A mutant of each fault. */
export function mutantsOf<Fault>(
  faults: Faults<Fault>,
  casesOf: (fault: Fault, title: string) => readonly ConformanceCase[],
): readonly Mutant[] {
  return Object.entries(faults).map(([title, fault]) => {
    const [clause = ""] = title.split(" ", 1);
    return { clause, name: title.slice(clause.length + 1), cases: () => casesOf(fault, title) };
  });
}

/** Mutants of a store in memory whose data is wrong. */
export function dataMutants(faults: Faults): readonly Mutant[] {
  return mutantsOf(faults, (fault) =>
    storeCases(sharedMemoryDoors({ data: (data) => ({ ...data, ...fault(data) }) })),
  );
}

/** Mutants of a store in memory whose objects are wrong. */
export function objectMutants(faults: Faults<ObjectFault>): readonly Mutant[] {
  return mutantsOf(faults, (fault) =>
    storeCases(
      sharedMemoryDoors({ object: (object, data) => ({ ...object, ...fault(object, data) }) }),
    ),
  );
}
