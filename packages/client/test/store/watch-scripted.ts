import type { ServerResponse } from "node:http";
import type { RunSnapshot } from "@tm/run-events-core";
import { createRunsStore, type RunsOptions, type RunsView } from "@tm/run-events-client/store";
import { expect, vi } from "vitest";
import { snapshotOf } from "../feed/snapshot-of.ts";
import { frame, startScriptedServer } from "../scripted-server.ts";
import { type Watched, watchStore } from "./watch-store.ts";

/** A list of a server that answers by a script: the n-th stream, and the n-th list. */
export async function watchScripted(
  streams: (response: ServerResponse, index: number) => void,
  lists: (response: ServerResponse, index: number) => void,
  options: RunsOptions = {},
): Promise<Watched<RunsView>> {
  let [streamed, listed] = [0, 0];
  const { baseUrl } = await startScriptedServer((response, _, { url }) => {
    if (url?.includes("/stream") === true) streams(response, streamed++);
    else lists(response, listed++);
  });
  const credential = { cookie: "a=b" };
  return watchStore(createRunsStore({ userId: "ada", credential, ...options, baseUrl }));
}

/** The first and the last frame of a list, and a run that has ended. */
export const STARTED: string = frame({ type: "feed_started", same: false });
export const VERSION: string = frame({ type: "feed_version", version: "v", more: false });
export const ENDED: RunSnapshot = snapshotOf(1, { runStatus: "completed", lastSequence: 2 });

/** Another run that has ended, and the frame after which it is gone. */
export const OTHER: RunSnapshot = snapshotOf(2, { runStatus: "failed" });
export const GONE: string = frame({ type: "run_gone", runId: "run-2" });

/** Its runs, each with its status. */
export function rowsOf({ store }: Watched<RunsView>): readonly string[] {
  return store.getSnapshot().runs.map(({ runId, runStatus }) => `${runId} ${runStatus}`);
}

/** A frame of each run. */
export function runFrames(...runs: readonly RunSnapshot[]): string {
  return runs.map((run) => frame({ type: "run", run })).join("");
}

/** Runs that have ended, from the newest on. */
export function endedRuns(newest: number, count: number): RunSnapshot[] {
  return Array.from({ length: count }, (_, index) =>
    snapshotOf(newest - index, { runStatus: "completed" }),
  );
}

/** The ids of the runs that it shows. */
export function idsOf({ store }: Watched<RunsView>): readonly string[] {
  return store.getSnapshot().runs.map(({ runId }) => runId);
}

/** Waits until a list has loaded, and shows these runs. */
export async function shows(
  list: Watched<RunsView>,
  ...ids: readonly (string | undefined)[]
): Promise<void> {
  await vi.waitFor(
    () => {
      expect(list.store.getSnapshot().isLoading).toBe(false);
      expect(idsOf(list)).toEqual(ids);
    },
    { timeout: 20_000 },
  );
}
