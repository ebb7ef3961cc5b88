import {
  type ConformanceCase,
  runEventStoreConformance,
  type StoreDoors,
} from "@tm/run-events-conformance";
import { type Breakage, sharedMemoryDoors } from "../shared-memory.ts";

/** A store that breaks one promise. The rules in front of it are core's own. */
export interface Mutant extends Breakage {
  /** What it does wrong. */
  readonly name: string;
  /** The clause whose cases have to find it. */
  readonly clause: string;
  /** Its cases, where its doors themselves are wrong. */
  readonly cases?: () => readonly ConformanceCase[];
}

/** All cases for one store. */
export function storeCases<Place = undefined>(
  doors: StoreDoors<Place>,
): readonly ConformanceCase[] {
  return runEventStoreConformance({ name: "mutant", ...doors });
}

/** All cases for a mutant. */
export function casesOf(mutant: Mutant): readonly ConformanceCase[] {
  return mutant.cases?.() ?? storeCases(sharedMemoryDoors(mutant));
}
