import { onTestFinished } from "vitest";
import type { ConnectionState } from "../src/follow/connection-state.ts";
import { RunsReader, type RunsReaderOptions } from "../src/follow/follow-runs.ts";

/** The record of the calls of a listener of one run. */
export interface Heard {
  readonly sequences: number[];
  readonly states: ConnectionState["state"][];
  last: ConnectionState | null;
  stop(): void;
  /** Resolves when it is over. */
  readonly over: Promise<ConnectionState>;
  /** Resolves at this sequence. */
  reach(sequence: number): Promise<void>;
}

/** Follows one run, and keeps what its listener is called with. */
export function listen(
  reader: RunsReader,
  runId: string,
  beginning: Parameters<RunsReader["add"]>[1] = {},
): Heard {
  const over = Promise.withResolvers<ConnectionState>();
  const waits: { readonly sequence: number; readonly resolve: () => void }[] = [];
  const sequences: number[] = [];
  const states: ConnectionState["state"][] = [];
  const heard: Heard = {
    sequences,
    states,
    last: null,
    stop: () => stop(),
    over: over.promise,
    reach(sequence) {
      const { promise, resolve } = Promise.withResolvers<void>();
      if ((sequences.at(-1) ?? 0) >= sequence) resolve();
      else waits.push({ sequence, resolve });
      return promise;
    },
  };
  const stop = reader.add(runId, beginning, {
    onEvents(events) {
      for (const { sequence } of events) sequences.push(sequence);
      for (const { sequence, resolve } of waits) if ((sequences.at(-1) ?? 0) >= sequence) resolve();
    },
    onState(state) {
      if (states.at(-1) !== state.state) states.push(state.state);
      heard.last = state;
      if (state.state === "finished" || state.state === "failed") over.resolve(state);
    },
  });
  return heard;
}

/** The session that the tests' servers take for ada's. */
export const credential = { cookie: "session=ada" };

/** Opens a reader that is closed at the test's end. */
export function open(baseUrl: string, options: RunsReaderOptions = {}): RunsReader {
  const reader = new RunsReader({ baseUrl, credential, ...options });
  onTestFinished(() => reader.close());
  return reader;
}
