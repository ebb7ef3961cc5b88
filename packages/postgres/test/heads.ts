import type { Head } from "@tm/run-events-core/store";

/** A head of Ada's run `a`, with all columns. Tests change what they are about. */
export const HEAD: Head = {
  ownerId: "ada",
  runId: "a",
  ordinal: 1,
  revision: 0,
  runStatus: "running",
  phase: null,
  lastSequence: 0,
  updatedAtMs: 0,
  fence: 0,
  leaseExpiresAtMs: null,
  topic: null,
  exclusive: false,
  dueMs: 0,
  extra: "{}",
};
