/** The server under test; it appends by itself, so that nothing else takes its memory. */
export interface StalledServer {
  listen(): Promise<number>;
  /** Appends so many events, a batch at a time. */
  append(load: {
    readonly runId: string;
    readonly events: number;
    readonly batch: number;
    readonly eventBytes: number;
  }): Promise<void>;
  /** Resident memory in bytes; the peak is that since the call before. */
  memory(): { readonly now: number; readonly peak: number };
  /** What the heap and its buffers hold after a garbage collection, in bytes. */
  inUse(): number;
  /** Live streams. */
  open(): number;
}

/** The runs there are: one to warm the server up with, and the one that readers stall on. */
export const WARM_RUN = "warm";
export const STALLED_RUN = "stalled";
