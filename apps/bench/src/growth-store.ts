import type { Cost } from "./rounds.ts";

/** The length of an event's JSON, in bytes. */
export const GROWTH_EVENT_BYTES = 300;

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

/** A process that makes a file of a size, so that the one that is measured has done nothing else before. */
export interface GrowthFiller {
  fill(order: { readonly file: string; readonly size: GrowthSize }): Promise<void>;
}
