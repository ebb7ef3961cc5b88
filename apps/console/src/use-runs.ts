import type { RunSnapshot, RunStatus } from "@tm/run-events-core";
import { useCallback, useEffect, useRef, useState } from "react";
import { isSignedOut, listRuns, messageOf, type RunsPage } from "./api.ts";
import { mergeRuns } from "./merge-runs.ts";

/** How many runs come at first, and with each "more". */
const PAGE_RUNS = 50;
/** How many one answer holds at most. @see W14 */
const MOST_RUNS = 200;
/** Between two looks at the list, in milliseconds. */
const LOOK_MS = 2_000;

/** The list of runs as it is shown. */
export interface RunsView {
  /** Newest first; `null` before the first answer. */
  readonly runs: readonly RunSnapshot[] | null;
  readonly hasMore: boolean;
  /** Why the last look failed; `null` if it did not. */
  readonly problem: string | null;
  /** Reads the next ones. */
  readonly loadMore: () => void;
}

interface Loaded {
  readonly runs: readonly RunSnapshot[];
  readonly nextCursor: string | null;
}

/**
 * The caller's runs, all that are loaded looked at again every two seconds while the page is seen.
 * @param status those in this status; `null` for all. A component that changes it is mounted anew
 * @param onSignedOut the session has ended
 */
export function useRuns(status: RunStatus | null, onSignedOut: () => void): RunsView {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const size = useRef(0);
  const isGone = useRef(false);
  useEffect(() => {
    isGone.current = false;
    return () => void (isGone.current = true);
  }, []);
  useEffect(() => {
    size.current = loaded?.runs.length ?? 0;
  }, [loaded]);

  const read = useCallback(
    async (cursor: string | null, count: number, take: (page: RunsPage) => void): Promise<void> => {
      try {
        const page = await readRuns(status, cursor, count);
        if (isGone.current) return;
        take(page);
        setProblem(null);
      } catch (error) {
        // What was asked for another session says nothing of this one.
        if (isGone.current) return;
        if (isSignedOut(error)) onSignedOut();
        else setProblem(messageOf(error));
      }
    },
    [status, onSignedOut],
  );

  useEffect(() => {
    let isOver = false;
    let isLooking = false;
    let timer: ReturnType<typeof setTimeout> | undefined;

    async function look(): Promise<void> {
      if (isLooking || document.hidden) return;
      isLooking = true;
      clearTimeout(timer);
      const count = Math.max(PAGE_RUNS, size.current);
      await read(null, count, (page) => setLoaded((before) => afterLook(before, page)));
      isLooking = false;
      if (!isOver) timer = setTimeout(() => void look(), LOOK_MS);
    }

    const onSeen = (): void => void look();
    document.addEventListener("visibilitychange", onSeen);
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onSeen);
    };
  }, [read]);

  return {
    runs: loaded?.runs ?? null,
    hasMore: loaded !== null && loaded.nextCursor !== null,
    problem,
    loadMore() {
      const cursor = loaded?.nextCursor ?? null;
      if (cursor === null) return;
      void read(cursor, PAGE_RUNS, (page) => {
        setLoaded((before) => (before?.nextCursor === cursor ? afterMore(before, page) : before));
      });
    },
  };
}

/** So many runs from a cursor on, or all that there are, in as many answers as that takes. */
async function readRuns(
  status: RunStatus | null,
  cursor: string | null,
  count: number,
): Promise<RunsPage> {
  const read = new Map<string, RunSnapshot>();
  let nextCursor = cursor;
  do {
    const limit = Math.min(MOST_RUNS, count - read.size);
    const page = await listRuns({ status, limit, cursor: nextCursor });
    for (const run of page.runs) read.set(run.runId, run);
    ({ nextCursor } = page);
  } while (nextCursor !== null && read.size < count);
  return { runs: [...read.values()], nextCursor };
}

function afterLook(before: Loaded | null, { runs, nextCursor }: RunsPage): Loaded {
  const merged = mergeRuns(before?.runs ?? [], runs, nextCursor === null);
  // What goes on behind what was read goes on where it did.
  return {
    runs: merged,
    nextCursor: merged.length > runs.length ? (before?.nextCursor ?? null) : nextCursor,
  };
}

function afterMore(before: Loaded, { runs, nextCursor }: RunsPage): Loaded {
  const known = new Set(before.runs.map(({ runId }) => runId));
  return {
    runs: [...before.runs, ...runs.filter(({ runId }) => !known.has(runId))],
    nextCursor,
  };
}
