import type { OwnedRuns } from "@tm/run-events-core";
import { expect, it } from "vitest";
import type { Edit } from "./edited-folder.ts";
import { openRuns } from "./open-runs.ts";
import { startWorker, type WorkerProcess } from "./start-worker.ts";
import { startTools, type ToolServer } from "./tool-server.ts";
import { STEPS, wholeLog } from "./whole-log.ts";

/** A short lease, so that other workers do not wait for half a minute. */
const SHORT_LEASE: Edit = ["leaseMs: 30_000", "leaseMs: 2_000"];

interface World {
  readonly runs: OwnedRuns;
  readonly tools: ToolServer;
  work(edits?: readonly Edit[]): Promise<WorkerProcess>;
}

/** A file of runs that workers and this process share. */
async function openWorld(): Promise<World> {
  const tools = await startTools();
  const { path, runs } = await openRuns("resume");
  const env = { DATABASE: path, TOOLS_URL: tools.url };
  return {
    runs,
    tools,
    work: (edits = []) => startWorker("resume.mjs", { args: ["trip"], env, edits }),
  };
}

const TOOLS = ["flight", "hotel", "mail"];

it.each(TOOLS)(
  "after a worker is killed while it uses the %s another goes on there, and the log has each step once",
  async (tool) => {
    const { runs, tools, work } = await openWorld();
    const held = tools.hold(tool);
    const first = await work([SHORT_LEASE]);
    await first.until(held);
    expect(await first.end("SIGKILL")).toBe(null);
    const second = await work([SHORT_LEASE]);
    expect(await second.until(wholeLog(runs, "trip"))).toEqual(STEPS);
    // The effect is the same: the tool was called again with the same key.
    const again = tools.calls.filter((call) => call.tool === tool);
    expect(again).toEqual([again[0], again[0]]);
    expect(new Set(tools.calls.map(({ key }) => key)).size).toBe(TOOLS.length);
  },
);

it("a worker that gets SIGTERM releases its run: another goes on at once", async () => {
  const { runs, tools, work } = await openWorld();
  const held = tools.hold("hotel");
  const first = await work();
  const { closed } = await first.until(held);
  expect(await first.end("SIGTERM")).toBe(0);
  await closed;
  const second = await work();
  expect(await second.until(wholeLog(runs, "trip"))).toEqual(STEPS);
});

it("a worker whose run another has waits for it, and writes nothing", async () => {
  const { runs, tools, work } = await openWorld();
  const held = tools.hold("hotel");
  const first = await work([SHORT_LEASE]);
  const { answer } = await first.until(held);
  const second = await work([SHORT_LEASE]);
  await second.prints("another worker has trip");
  answer();
  expect(await first.until(wholeLog(runs, "trip"))).toEqual(STEPS);
  await second.prints("completed");
  expect(tools.calls.map(({ tool }) => tool)).toEqual(TOOLS);
});

it("a worker that was paused for longer than its lease writes nothing any more", async () => {
  const { runs, tools, work } = await openWorld();
  const held = tools.hold("hotel");
  const first = await work([SHORT_LEASE]);
  await first.until(held);
  first.signal("SIGSTOP");
  const second = await work([SHORT_LEASE]);
  expect(await second.until(wholeLog(runs, "trip"))).toEqual(STEPS);
  first.signal("SIGCONT");
  await first.prints("completed");
  expect(await wholeLog(runs, "trip")).toEqual(STEPS);
});

it("a run that is cancelled stops its worker", async () => {
  const { runs, tools, work } = await openWorld();
  const held = tools.hold("hotel");
  const worker = await work();
  const { closed } = await worker.until(held);
  await runs.cancel("trip");
  await worker.until(closed);
  await worker.prints("cancelled");
  expect(await wholeLog(runs, "trip")).toEqual([...STEPS.slice(0, 3), "RUN_CANCELLED"]);
});
