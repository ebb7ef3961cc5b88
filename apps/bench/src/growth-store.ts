import type { Cost } from "./rounds.ts";

/** A process with a file of its own, of a given size. Each call does a thing so many times, one after the other. */
export interface GrowthStore {
  /** Appends one event, to runs that are spread over the store. */
  append(times: number): Promise<Cost>;
  /** Reads the last page of a run. */
  read(times: number): Promise<Cost>;
  /** Opens a tail a few events before the end, takes them, leaves. */
  tail(times: number): Promise<Cost>;
  /** Lists the owner's newest runs. */
  list(times: number): Promise<Cost>;
}

/** How large a store is made. */
export interface GrowthSize {
  readonly runs: number;
  readonly eventsARun: number;
}
