import type { FollowState } from "@tm/run-events-client";
import type { RunEventsError, RunSnapshot } from "@tm/run-events-core";
import type { ReactNode } from "react";
import { formatCount } from "./format-time.ts";

/** Why a run is not followed just now, and how far its events have been read. */
export function RunNotices({
  state,
  error,
  count,
  snapshot,
}: {
  readonly state: FollowState;
  readonly error: RunEventsError | null;
  /** How many events have been read. */
  readonly count: number;
  readonly snapshot: RunSnapshot | null;
}): ReactNode {
  if (state === "failed") return <p className="notice problem">{error?.message}</p>;
  const behind = (snapshot?.lastSequence ?? 0) - count;
  return (
    <>
      {state === "waiting" && <p className="notice soft">{error?.message} Trying again.</p>}
      {behind > 0 && (
        <progress
          aria-label="Events read"
          max={count + behind}
          value={count}
          title={`${formatCount(behind)} events to come`}
        />
      )}
    </>
  );
}
