import { useRuns } from "@tm/run-events-client/react";
import { isTerminal, type RunSnapshot, type RunStatus } from "@tm/run-events-core";
import { escapeText } from "@tm/run-events-core/wire";
import { type KeyboardEvent, memo, type ReactNode, useEffect, useRef } from "react";
import { isSignedOut } from "./api.ts";
import { formatAge, formatEvents, formatMoment, formatSpan } from "./format-time.ts";
import { encodeRoute } from "./hash-route.ts";
import { planMove } from "./plan-move.ts";
import { Problem } from "./problem.tsx";
import { runTitle } from "./run-title.ts";
import { StatusIcon } from "./status-icon.tsx";
import { useNow } from "./use-now.ts";
import { hasModifier } from "./use-shortcuts.ts";

/** The number of runs that a page key moves. */
const PAGE_ROWS = 8;

/** The user's runs, newest first, kept up to date. */
export function RunList({
  status,
  chosen,
  onSignedOut,
}: {
  /** Shows only runs in this status; `null` for all. */
  readonly status: RunStatus | null;
  /** The run that is open. */
  readonly chosen: string | null;
  readonly onSignedOut: () => void;
}): ReactNode {
  const view = useRuns({ status: status ?? undefined });
  const { runs, state, isLoading, hasMore, loadMore } = view;
  const failure = view.error ?? view.loadError;
  const wasSignedOut = state === "failed" && isSignedOut(failure);
  useEffect(() => {
    if (wasSignedOut) onSignedOut();
  }, [wasSignedOut, onSignedOut]);
  const now = useNow(1_000);
  const list = useRef<HTMLUListElement>(null);
  // The row at which the next runs will begin; `null` if none were asked for.
  const wanted = useRef<number | null>(null);
  const count = runs.length;
  useEffect(() => {
    if (wanted.current === null || count <= wanted.current) return;
    // The first new run gets the focus of the button, unless the user has moved it elsewhere.
    const { activeElement: at, body } = document;
    const isHere = at === body || at?.closest(".more") != null;
    if (isHere) list.current?.querySelectorAll("a")[wanted.current]?.focus();
    wanted.current = null;
  }, [count]);

  function onKeyDown(event: KeyboardEvent): void {
    if (hasModifier(event)) return;
    const links = [...(list.current?.querySelectorAll("a") ?? [])];
    const at = links.findIndex((link) => link === document.activeElement);
    const to = at === -1 ? null : planMove(event.key, at, links.length, PAGE_ROWS);
    if (to === null) return;
    event.preventDefault();
    links[to]?.focus();
  }

  return (
    <>
      {failure !== null && (
        <p className="notice problem">
          <Problem error={failure} />
        </p>
      )}
      {isLoading && failure === null && <p className="notice soft">Loading…</p>}
      {!isLoading && count === 0 && (
        <p className="notice soft">
          {status === null ? "You have no runs yet." : `You have no ${status} runs.`}
        </p>
      )}
      <ul ref={list} className="runs" aria-label="Runs" onKeyDown={onKeyDown}>
        {runs.map((run) => (
          <li key={run.runId}>
            <RunLink run={run} isChosen={run.runId === chosen} now={now} />
          </li>
        ))}
        {hasMore && (
          <li className="more">
            <button
              type="button"
              onClick={() => {
                wanted.current = count;
                void loadMore();
              }}
            >
              Load more
            </button>
          </li>
        )}
      </ul>
    </>
  );
}

const RunLink = memo(function RunLink({
  run,
  isChosen,
  now,
}: {
  readonly run: RunSnapshot;
  readonly isChosen: boolean;
  readonly now: number;
}): ReactNode {
  const { runId, runStatus, currentPhase, lastSequence, createdAt, finishedAt } = run;
  const createdAtMs = Date.parse(createdAt);
  const endedAtMs = finishedAt === null ? now : Date.parse(finishedAt);
  const title = runTitle(run);
  return (
    <a
      href={encodeRoute(runId)}
      aria-current={isChosen ? "page" : undefined}
      className={isTerminal(runStatus) ? "" : "is-live"}
    >
      <StatusIcon status={runStatus} />
      <span className={title === runId ? "name code" : "name"} title={title}>
        {title}
      </span>
      <time className="age" dateTime={createdAt} title={formatMoment(createdAt)}>
        {formatAge(now - createdAtMs)}
      </time>
      <span className="facts">
        <span className={`word ${runStatus}`}>{runStatus}</span>
        {currentPhase !== null && <span className="phase">{escapeText(currentPhase)}</span>}
        <span>{formatEvents(lastSequence)}</span>
      </span>
      <span className="span">{formatSpan(endedAtMs - createdAtMs)}</span>
    </a>
  );
});
