import type { ConnectionState } from "@tm/run-events-client";

/** The pauses that a follower makes. */
export interface PauseRecord {
  /** In milliseconds, as they are begun. */
  readonly pauses: readonly number[];
  /** To be given to the follower. */
  readonly onConnectionState: (connection: ConnectionState) => void;
  end(): void;
}

/** Listens to the clock that there is now. */
export function recordPauses(): PauseRecord {
  const pauses: number[] = [];
  const { setTimeout } = globalThis;
  let isPause = false;
  globalThis.setTimeout = ((work: () => void, ms = 0, ...rest: readonly unknown[]) => {
    if (isPause) pauses.push(ms);
    isPause = false;
    return setTimeout(work, ms, ...rest);
  }) as typeof setTimeout;
  return {
    pauses,
    // It is told just before it pauses.
    onConnectionState: ({ state }) => void (isPause = state === "waiting"),
    end: () => void (globalThis.setTimeout = setTimeout),
  };
}
