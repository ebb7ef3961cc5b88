/** The server that all share. */
export interface NeighboursServer {
  listen(): Promise<number>;
  /** The most resident memory since the call before, in bytes. */
  peak(): number;
  /**
   * What the server's main thread has worked from each quiet request's arrival to the end of its answer, in milliseconds, since
   * the call before: what a request waits for, no matter what else the machine does.
   */
  worked(): readonly number[];
}

/** The owners who append a little, each in a run of the same name. */
export interface QuietLoader {
  /**
   * Appends for so long, an event every now and then an owner.
   * @returns how long each append took, in milliseconds
   * @throws for an answer that is no receipt: a neighbour is to cost time at most
   */
  append(load: { readonly port: number; readonly millis: number }): Promise<readonly number[]>;
}

/** The owner who asks for all that there is. */
export interface FloodLoader {
  start(flood: { readonly port: number; readonly kind: FloodKind }): Promise<void>;
  /** Ends the flood. @returns how many answers there were, by status */
  stop(): Promise<Readonly<Record<number, number>>>;
}

/** What the one owner floods with. */
export const FLOOD_KINDS = ["bodies", "batches", "creates", "reads", "uploads"] as const;
export type FloodKind = (typeof FLOOD_KINDS)[number];

export const FLOODER = "flooder";
/** A run of the flooder's with a page of 4 MiB. */
export const LARGE_RUN = "large";
export const QUIET_OWNERS: readonly string[] = Array.from({ length: 10 }, (_, at) => `quiet-${at}`);
