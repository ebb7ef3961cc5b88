import { isRunId } from "@tm/run-events-core/store";
import { useSyncExternalStore } from "react";

const RUN = /^#\/runs\/(.+)$/;

/** The run that an address's fragment names; `null` if it names none. */
function parseRoute(hash: string): string | null {
  const runId = RUN.exec(hash)?.[1];
  return runId !== undefined && isRunId(runId) ? runId : null;
}

/** The fragment that names a run, or with `null` the list alone. */
export function encodeRoute(runId: string | null): string {
  return runId === null ? "#/" : `#/runs/${runId}`;
}

/** The run that the page's address names. */
export function useRoute(): string | null {
  return useSyncExternalStore(subscribe, () => parseRoute(location.hash));
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}
