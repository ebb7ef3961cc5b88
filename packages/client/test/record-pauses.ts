import type { ConnectionState } from "@tm/run-events-client";

/** The pauses that a follower makes. */
export interface PauseRecord {
  /** The pauses, in milliseconds, in the order in which they begin. */
  readonly pauses: readonly number[];
  /** The option for the follower. */
  readonly onConnectionState: (connection: ConnectionState) => void;
  end(): void;
}

/** Records the pauses on the clock of the moment. */
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
    // The callback comes just before the pause.
    onConnectionState: ({ state }) => void (isPause = state === "paused"),
    end: () => void (globalThis.setTimeout = setTimeout),
  };
}
