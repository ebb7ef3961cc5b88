import type { Head } from "./head.ts";
import type { Lease } from "./lease.ts";

/** A run without its events: callers get it, and the rules decide by it. */
export interface RunRecord
  extends Omit<Head, "revision" | "exclusive" | "dueMs" | "extra" | "metadata">, Lease {
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
  /** JSON text, opaque; empty in a list without metadata. */
  readonly metadata: string;
}
