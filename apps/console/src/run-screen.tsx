import { useRun } from "@tm/run-events-client/react";
import {
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { escapeText } from "@tm/run-events-core/wire";
import { isSignedOut } from "./api.ts";
import { EventToolbar } from "./event-toolbar.tsx";
import { PhaseStrip } from "./phase-strip.tsx";
import { createRunDigest, PHASE_STARTED } from "./run-digest.ts";
import { RunHeader } from "./run-header.tsx";
import { RunNotices } from "./run-notices.tsx";
import { RunQuestion } from "./run-question.tsx";
import { runTitle } from "./run-title.ts";
import { createEventPicker, NO_FILTER } from "./shown-events.ts";
import { Timeline, type TimelineHandle } from "./timeline.tsx";
import { useDocumentTitle } from "./use-document-title.ts";
import { useFollowing } from "./use-following.ts";
import { useShortcuts } from "./use-shortcuts.ts";
import { useSnapshot } from "./use-snapshot.ts";

/** A run before the server's first answer. */
const UNREAD = { snapshot: null, keptUntil: null };

/** Props of a run's screen. */
export interface RunScreenProps {
  /** A screen shows one run for as long as it is mounted. */
  readonly runId: string;
  readonly onSignedOut: () => void;
  /** Moves the focus from the events to the list of runs. */
  readonly onLeave: () => void;
}

/** A run and its events, live. */
export function RunScreen({ runId, onSignedOut, onLeave }: RunScreenProps): ReactNode {
  const { events, state, runStatus, currentPhase, error, input } = useRun(runId);
  const { snapshot, keptUntil } = useSnapshot(runId, runStatus) ?? UNREAD;
  const [filter, setFilter] = useState(NO_FILTER);
  const { isFollowing, unseenCount, onFollow } = useFollowing(events.length);
  const heading = useHeadingFocus();
  const timeline = useRef<TimelineHandle>(null);
  const filterField = useRef<HTMLInputElement>(null);
  const jumpField = useRef<HTMLInputElement>(null);
  const [digestOf] = useState(createRunDigest);
  const { phases, typeCounts } = digestOf(events);
  const pick = useMemo(() => createEventPicker(filter), [filter]);
  const shown = pick(events);
  const wasSignedOut = state === "failed" && isSignedOut(error);

  useEffect(() => {
    if (wasSignedOut) onSignedOut();
  }, [wasSignedOut, onSignedOut]);

  const toEvents = useCallback(() => timeline.current?.focus(), []);
  useShortcuts({
    "/": () => filterField.current?.focus(),
    g: () => jumpField.current?.focus(),
    f: () => onFollow(!isFollowing),
    j: toEvents,
    k: toEvents,
    ArrowDown: toEvents,
    ArrowUp: toEvents,
    Escape: onLeave,
  });

  const title = snapshot === null ? runId : runTitle(snapshot);
  useDocumentTitle(title);
  const status = runStatus ?? snapshot?.runStatus ?? null;
  const firstAt = events[0]?.createdAt ?? snapshot?.createdAt;
  return (
    <main className="run" aria-label={`Run ${title}`}>
      <RunHeader
        runId={runId}
        snapshot={snapshot}
        keptUntil={keptUntil}
        status={status}
        state={state}
        count={events.length}
        heading={heading}
      />
      <p className="unseen" role="status">
        {escapeText([runStatus, currentPhase].filter((word) => word !== null).join(", "))}
      </p>
      <RunNotices state={state} error={error} events={events} snapshot={snapshot} />
      <RunQuestion events={events} status={runStatus} input={input} heading={heading} />
      <PhaseStrip
        phases={phases}
        status={status}
        onEarlier={() => setFilter({ text: "", types: new Set([PHASE_STARTED]) })}
        onJump={(sequence) => timeline.current?.show(sequence)}
      />
      <EventToolbar
        filter={filter}
        onFilter={setFilter}
        typeCounts={typeCounts}
        shownCount={shown.count}
        count={events.length}
        isLive={state !== "finished" && state !== "failed"}
        isFollowing={isFollowing}
        unseenCount={unseenCount}
        onFollow={onFollow}
        onJump={(sequence) => timeline.current?.show(sequence)}
        onLeave={toEvents}
        filterField={filterField}
        jumpField={jumpField}
      />
      <Timeline
        ref={timeline}
        shown={shown}
        filterKey={`${filter.text} ${[...filter.types].join(" ")}`}
        startedAtMs={firstAt === undefined ? 0 : Date.parse(firstAt)}
        isFollowing={isFollowing}
        onFollow={onFollow}
      />
    </main>
  );
}

/** The run's heading, which gets the focus if the run was chosen from the list. */
function useHeadingFocus(): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (document.activeElement?.closest(".runs") != null) heading.current?.focus();
  }, []);
  return heading;
}
