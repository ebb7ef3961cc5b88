import { createClient } from "@tm/run-events-client/runs";
import { createRunsStore, type RunsOptions, type RunsView } from "@tm/run-events-client/store";
import { expect, it, vi } from "vitest";
import { snapshotOf } from "../feed/snapshot-of.ts";
import { record, type RunsServer, startRunsServer } from "../runs-server.ts";
import { startScriptedServer } from "../scripted-server.ts";
import { expectSnapshot, leaveNothing, type Watched, watchStore } from "./watch-store.ts";

leaveNothing();

const COOKIE = { userId: "ada", credential: { cookie: "a=b" } } as const;

function watch({ port }: RunsServer, options: RunsOptions): Watched<RunsView> {
  return watchStore(
    createRunsStore({ ...COOKIE, ...options, baseUrl: `http://127.0.0.1:${port}` }),
  );
}

function rowsOf({ runs }: RunsView): readonly string[] {
  return runs.map(({ runId, runStatus }) => `${runId} ${runStatus}`);
}

async function shows({ store }: Watched<RunsView>, rows: readonly string[]): Promise<void> {
  await vi.waitFor(() => expect(rowsOf(store.getSnapshot())).toEqual(rows), { timeout: 20_000 });
}

/** Records runs of one event, and returns the list of all, as a server would render it. */
async function listAfter(
  server: RunsServer,
  ...ends: readonly (readonly string[])[]
): ReturnType<RunsServer["runs"]["list"]> {
  for (const types of ends) await record(server.runs, 1, ...types);
  return server.runs.list({ ownerId: "ada" });
}

it("a list with `initial` shows its runs at once, and then what has changed since", async () => {
  const server = await startRunsServer();
  const initial = await listAfter(server, ["RUN_COMPLETED"], ["RUN_FAILED"], [], []);
  const [live = "", ending = "", failed = "", completed = ""] = initial.runs.map(
    ({ runId }) => runId,
  );
  await server.runs.as("ada").append(ending, [{ eventType: "RUN_COMPLETED" }]);
  await server.runs.as("ada").delete(completed);
  const created = await record(server.runs, 1);
  const list = watch(server, { initial });
  const known = [
    `${live} running`,
    `${ending} running`,
    `${failed} failed`,
    `${completed} completed`,
  ];
  const [first] = list.seen as [RunsView];
  expect(first).toMatchObject({ state: "connecting", isLoading: false, hasMore: false });
  expect(rowsOf(first)).toEqual(known);
  expect(first.runs[0]).toEqual({ ...initial.runs[0], last: null });
  await shows(list, [
    `${created} running`,
    `${live} running`,
    `${ending} completed`,
    `${failed} failed`,
  ]);
  // It was never empty, and never loading.
  expect(list.seen.every(({ runs, isLoading }) => runs.length > 0 && !isLoading)).toBe(true);
  await server.runs.as("ada").append(live, [{ eventType: "RUN_FAILED" }]);
  await vi.waitFor(() => expect(rowsOf(list.store.getSnapshot())).toContain(`${live} failed`), {
    timeout: 20_000,
  });
});

it("a page of the client's `list` can be `initial`, and as many runs as it has are read again", async () => {
  const server = await startRunsServer();
  await listAfter(server, ...Array.from({ length: 70 }, () => ["RUN_COMPLETED"]));
  const baseUrl = `http://127.0.0.1:${server.port}`;
  const initial = await createClient({ baseUrl, credential: COOKIE.credential }).list({
    limit: 60,
  });
  const list = watch(server, { initial });
  await expectSnapshot(list, { state: "live", hasMore: true });
  expect(list.seen.map(({ runs }) => runs.length).every((count) => count === 60)).toBe(true);
  expect(server.paths.map((path) => path.split("/agent-runs")[1])).toContain("?limit=60");
  await list.store.getSnapshot().loadMore();
  expect(list.store.getSnapshot().runs).toHaveLength(70);
});

it("a list of live runs drops those of `initial` that have ended", async () => {
  const server = await startRunsServer();
  const initial = await listAfter(server, ["RUN_COMPLETED"], [], []);
  const [live = "", ended = ""] = initial.runs.map(({ runId }) => runId);
  const list = watch(server, { initial, status: "live" });
  // A run of `initial` that does not fit the list is not shown, not even at first.
  expect(rowsOf(list.seen[0] as RunsView)).toEqual([`${live} running`, `${ended} running`]);
  await server.runs.as("ada").append(ended, [{ eventType: "RUN_COMPLETED" }]);
  await shows(list, [`${live} running`]);
});

it("while the server is away, a list shows the runs of `initial`, and why it is paused", async () => {
  const { baseUrl } = await startScriptedServer((response) => response.destroy());
  const initial = { runs: [snapshotOf(1, { topic: "tea" }), snapshotOf(2, { topic: "milk" })] };
  const options = { ...COOKIE, baseUrl, mostDelayMs: 200, initial, topic: "tea" };
  const list = watchStore(createRunsStore(options));
  await expectSnapshot(list, { state: "paused", isLoading: false });
  const { runs, error, loadMore } = list.store.getSnapshot();
  expect(runs).toMatchObject([{ topic: "tea" }]);
  expect(error).toMatchObject({ code: "store_unavailable" });
  await loadMore();
  expect(list.store.getSnapshot().runs).toBe(runs);
});
