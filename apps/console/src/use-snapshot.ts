import type { RunStatus } from "@tm/run-events-core";
import { useEffect, useState } from "react";
import { type ReadRun, readRun } from "./api.ts";

/**
 * The run as the server has it, read again when its status has changed. `null` before the first answer.
 * @param runStatus the status after the events so far
 */
export function useSnapshot(runId: string, runStatus: RunStatus | null): ReadRun | null {
  const [run, setRun] = useState<ReadRun | null>(null);
  useEffect(() => {
    let isOver = false;
    readRun(runId).then(
      (read) => isOver || setRun(read),
      // The follower of the events shows the same failure.
      () => {},
    );
    return () => void (isOver = true);
  }, [runId, runStatus]);
  return run;
}
