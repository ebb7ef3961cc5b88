import { isRunId } from "@tm/run-events-core/wire";
import { useSyncExternalStore } from "react";

const RUN = /^#\/runs\/(.+)$/;

/** The id of the run in an address's fragment; `null` without one. */
function parseRoute(hash: string): string | null {
  const runId = RUN.exec(hash)?.[1];
  return runId !== undefined && isRunId(runId) ? runId : null;
}

/** The fragment of a run's address; with `null`, that of the list alone. */
export function encodeRoute(runId: string | null): string {
  return runId === null ? "#/" : `#/runs/${runId}`;
}

/** The id of the run in the page's address. */
export function useRoute(): string | null {
  return useSyncExternalStore(subscribe, () => parseRoute(location.hash));
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}
