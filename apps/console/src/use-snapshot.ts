import type { RunSnapshot, RunStatus } from "@tm/run-events-core";
import { useEffect, useState } from "react";
import { readRun } from "./api.ts";

/**
 * The run as the server tells it, read again when its status has changed. `null` before the first answer.
 * @param runStatus as the events tell it
 */
export function useSnapshot(runId: string, runStatus: RunStatus | null): RunSnapshot | null {
  const [snapshot, setSnapshot] = useState<RunSnapshot | null>(null);
  useEffect(() => {
    let isOver = false;
    readRun(runId).then(
      (read) => isOver || setSnapshot(read),
      // That the run cannot be read is told where its events are.
      () => {},
    );
    return () => void (isOver = true);
  }, [runId, runStatus]);
  return snapshot;
}
