import type { TestedServer } from "./tested-server.ts";

/** The server that all share. */
export interface NeighboursServer extends TestedServer {
  /** The most resident memory since the call before, in bytes. */
  peak(): number;
  /**
   * The work of the server's main thread from each quiet request's arrival to the end of its answer, in milliseconds, since
   * the call before: what a request waits for, no matter what else the machine does.
   */
  worked(): readonly number[];
}

/** The owners who append a little, each in a run of the same name. */
export interface QuietLoader {
  /**
   * Appends for this long, now and then one event of each owner.
   * @returns how long each append took, in milliseconds
   * @throws for any answer but a receipt: a noisy neighbour may slow an append, but must not make it fail
   */
  append(load: { readonly port: number; readonly millis: number }): Promise<readonly number[]>;
}

/** The owner who asks for all that there is. */
export interface FloodLoader {
  start(flood: { readonly port: number; readonly kind: FloodKind }): void;
  stop(): Promise<void>;
}

/** A flood of one owner. */
export const FLOODS = {
  bodies: "bodies of 4 MiB, 32 at once",
  batches: "batches of 1,000 events, 32 at once",
  creates: "creates, 32 at once",
  reads: "pages of 4 MiB, 32 at once",
  uploads: "300 uploads of a line that does not end",
} as const;
export type FloodKind = keyof typeof FLOODS;

export const FLOODER = "flooder";
/** A run of the flooder's with a page of 4 MiB. */
export const LARGE_RUN = "large";
export const QUIET_OWNERS: readonly string[] = Array.from({ length: 10 }, (_, at) => `quiet-${at}`);
