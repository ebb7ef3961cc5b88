import { crashMutants } from "./crash-mutants.ts";
import type { ProcessMutant } from "./process-mutant.ts";
import { sharingMutants } from "./sharing-mutants.ts";
import { startMutants } from "./start-mutants.ts";
import { waitingMutants } from "./waiting-mutants.ts";

/** Stores that only look whole to one process, or until it dies. */
export const processMutants: readonly ProcessMutant[] = [
  ...crashMutants,
  ...sharingMutants,
  ...startMutants,
  ...waitingMutants,
];
