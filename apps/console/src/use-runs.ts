import type { RunSnapshot, RunStatus } from "@tm/run-events-core";
import { useCallback, useEffect, useRef, useState } from "react";
import { isSignedOut, listRuns, messageOf, type RunsPage } from "./api.ts";
import { mergeRuns } from "./merge-runs.ts";

/** The number of runs at first, and with each "Load more". */
const PAGE_RUNS = 50;
/** The most runs of one answer. @see clause W14 in `WIRE.md` */
const MOST_RUNS = 200;
/** The pause between two polls of the list, in milliseconds. */
const POLL_MS = 2_000;

/** The list of runs as it is shown. */
export interface RunsView {
  /** Newest first; `null` before the first answer. */
  readonly runs: readonly RunSnapshot[] | null;
  readonly hasMore: boolean;
  /** Why the last poll failed; `null` if it did not. */
  readonly problem: string | null;
  /** Reads the next runs. */
  readonly loadMore: () => void;
}

interface Loaded {
  readonly runs: readonly RunSnapshot[];
  readonly nextCursor: string | null;
}

/**
 * The caller's runs. While the page is visible, all loaded runs are read again every two seconds.
 * @param status only runs in this status; `null` for all. A component that changes it must be mounted again
 * @param onSignedOut called when the session has ended
 */
export function useRuns(status: RunStatus | null, onSignedOut: () => void): RunsView {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const size = useRef(0);
  const isUnmounted = useRef(false);
  useEffect(() => {
    isUnmounted.current = false;
    return () => void (isUnmounted.current = true);
  }, []);
  useEffect(() => {
    size.current = loaded?.runs.length ?? 0;
  }, [loaded]);

  const read = useCallback(
    async (
      cursor: string | null,
      count: number,
      apply: (page: RunsPage) => void,
    ): Promise<void> => {
      try {
        const page = await readRuns(status, cursor, count);
        if (isUnmounted.current) return;
        apply(page);
        setProblem(null);
      } catch (error) {
        // An answer to another session's call does not apply to this one.
        if (isUnmounted.current) return;
        if (isSignedOut(error)) onSignedOut();
        else setProblem(messageOf(error));
      }
    },
    [status, onSignedOut],
  );

  useEffect(() => {
    let isOver = false;
    let isPolling = false;
    let timer: ReturnType<typeof setTimeout> | undefined;

    async function poll(): Promise<void> {
      if (isPolling || document.hidden) return;
      isPolling = true;
      clearTimeout(timer);
      const count = Math.max(PAGE_RUNS, size.current);
      await read(null, count, (page) => setLoaded((before) => afterPoll(before, page)));
      isPolling = false;
      if (!isOver) timer = setTimeout(() => void poll(), POLL_MS);
    }

    const onVisible = (): void => void poll();
    document.addEventListener("visibilitychange", onVisible);
    void poll();
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
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

/** Reads `count` runs from a cursor on, or fewer at the end of the list, in one or more calls. */
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

function afterPoll(before: Loaded | null, { runs, nextCursor }: RunsPage): Loaded {
  const merged = mergeRuns(before?.runs ?? [], runs, nextCursor === null);
  // If older runs follow those that were read, the cursor after them stays.
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
