import type { RunView } from "@tm/run-events-client/react";
import type { RunEvent, RunEventsError, RunSnapshot } from "@tm/run-events-core";
import type { ReactNode } from "react";
import { encodeWords } from "./encode-summary.ts";
import { formatEvents } from "./format-time.ts";
import { Problem } from "./problem.tsx";

/** The members of a payload that may give the reason of a failure. The first one counts. */
const REASONS = ["reason", "message", "error"] as const;

/** Notices above a run: why the connection is lost or the run has failed, and how many of its events have been read. */
export function RunNotices({
  state,
  error,
  events,
  snapshot,
}: {
  readonly state: RunView["state"];
  readonly error: RunEventsError | null;
  /** The events that have been read. */
  readonly events: readonly RunEvent[];
  readonly snapshot: RunSnapshot | null;
}): ReactNode {
  if (state === "failed") {
    return <p className="notice problem">{error !== null && <Problem error={error} />}</p>;
  }
  const reason = failureOf(events.at(-1));
  const count = events.length;
  const unread = (snapshot?.lastSequence ?? 0) - count;
  return (
    <>
      {state === "paused" && error !== null && (
        <p className="notice soft">
          <Problem error={error}> Trying again.</Problem>
        </p>
      )}
      {reason !== null && <p className="notice problem">{reason}</p>}
      {unread > 0 && (
        <progress
          aria-label="Events read"
          max={count + unread}
          value={count}
          title={`${formatEvents(unread)} still to read`}
        />
      )}
    </>
  );
}

/** The reason in a run's last event, if the run has failed. */
function failureOf(last: RunEvent | undefined): string | null {
  if (last?.eventType !== "RUN_FAILED") return null;
  const { payload } = last;
  if (typeof payload !== "object" || payload === null) return null;
  const members = payload as Readonly<Record<string, unknown>>;
  const words = REASONS.map((name) => members[name]).find((one) => typeof one === "string");
  return words === undefined ? null : encodeWords(words);
}
