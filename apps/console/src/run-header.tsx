import type { RunView } from "@tm/run-events-client/react";
import { isTerminal, type RunSnapshot, type RunStatus } from "@tm/run-events-core";
import { type ReactNode, type RefObject, useCallback } from "react";
import { CancelControl } from "./cancel-control.tsx";
import { formatDay, formatEvents, formatMoment, formatSpan } from "./format-time.ts";
import { encodeRoute } from "./hash-route.ts";
import { runTitle } from "./run-title.ts";
import { StatusIcon } from "./status-icon.tsx";
import { useNow } from "./use-now.ts";

/** The word for each state of the follower, next to the run's status. */
const STATES: Readonly<Record<RunView["state"], string | null>> = {
  idle: null,
  connecting: "connecting",
  live: "live",
  paused: "reconnecting",
  polling: "polling",
  finished: null,
  failed: "not followed",
};

/** Props of a run's header. */
export interface RunHeaderProps {
  readonly runId: string;
  readonly snapshot: RunSnapshot | null;
  /** The earliest time at which the run is removed, ISO 8601; `null` if that is not known. */
  readonly keptUntil: string | null;
  /** The status after the events so far; `null` before the server's first answer. */
  readonly status: RunStatus | null;
  readonly state: RunView["state"];
  readonly count: number;
  readonly heading: RefObject<HTMLHeadingElement | null>;
}

/** The title, the status and the facts of a run. */
export function RunHeader(props: RunHeaderProps): ReactNode {
  const { runId, snapshot, keptUntil, state, count, heading } = props;
  const status = props.status ?? snapshot?.runStatus ?? null;
  const isLive = status !== null && !isTerminal(status);
  const title = snapshot === null ? runId : runTitle(snapshot);
  const word = STATES[state];
  const toHeading = useCallback(() => heading.current?.focus(), [heading]);
  return (
    <header className="run-header">
      <a className="back" href={encodeRoute(null)}>
        <span aria-hidden="true">‹</span> Runs
      </a>
      <div className="run-title">
        {status !== null && <StatusIcon status={status} />}
        <h2 ref={heading} tabIndex={-1} className={title === runId ? "code" : ""} title={title}>
          {title}
        </h2>
        {isLive && <CancelControl runId={runId} title={title} onRemoved={toHeading} />}
      </div>
      <p className="facts">
        {status !== null && <span className={`word ${status}`}>{status}</span>}
        {word !== null && <span className={`state ${state}`}>{word}</span>}
        <span>{formatEvents(count)}</span>
        {snapshot !== null && (
          <>
            <Elapsed snapshot={snapshot} isLive={isLive} />
            <span>
              started <time dateTime={snapshot.createdAt}>{formatMoment(snapshot.createdAt)}</time>
            </span>
          </>
        )}
        {keptUntil !== null && (
          <span>
            kept until{" "}
            <time dateTime={keptUntil} title={formatMoment(keptUntil)}>
              {formatDay(keptUntil, Date.now())}
            </time>
          </span>
        )}
        {title !== runId && <span className="code">{runId}</span>}
      </p>
    </header>
  );
}

function Elapsed({
  snapshot: { createdAt, finishedAt },
  isLive,
}: {
  readonly snapshot: RunSnapshot;
  readonly isLive: boolean;
}): ReactNode {
  const now = useNow(isLive ? 1_000 : null);
  const endMs = finishedAt === null ? now : Date.parse(finishedAt);
  return <span>{formatSpan(endMs - Date.parse(createdAt))}</span>;
}
