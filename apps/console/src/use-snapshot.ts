import type { RunStatus } from "@tm/run-events-core";
import { useEffect, useState } from "react";
import { type ReadRun, readRun } from "./api.ts";

/**
 * The run as the server tells it, read again when its status has changed. `null` before the first answer.
 * @param runStatus as the events tell it
 */
export function useSnapshot(runId: string, runStatus: RunStatus | null): ReadRun | null {
  const [run, setRun] = useState<ReadRun | null>(null);
  useEffect(() => {
    let isOver = false;
    readRun(runId).then(
      (read) => isOver || setRun(read),
      // That the run cannot be read is told where its events are.
      () => {},
    );
    return () => void (isOver = true);
  }, [runId, runStatus]);
  return run;
}
