import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RecordedRun, Threads } from "../../src/ag-ui.ts";
import { produceRun } from "../../src/produce/produce-run.ts";
import { StreamRuns } from "../../src/runs/stream-runs.ts";
import { createFailingStore } from "../failing-store.ts";
import { createServer, type TestServer } from "./server.ts";

const OWNER = { ownerId: "ada" };
const INPUT = { threadId: "tea", runId: "r", messages: [], tools: [], context: [] };
const INTERRUPT = { type: "interrupt", interrupts: [{ id: "i", reason: "approval" }] };
const RESUME = [{ interruptId: "i", status: "resolved" as const }];

function open(store = createMemoryStore()): TestServer {
  const runs = createRunEvents({ store });
  onTestFinished(() => runs.close());
  return createServer(runs, { leaseMs: 1_000 });
}

/** Sends a request that the thread has, or that answers its question. */
function send({ threads, agent }: TestServer, input: object = {}): ReturnType<Threads["record"]> {
  return threads.record({ ...OWNER, input: { ...INPUT, ...input } }, agent.run);
}

/** A run of the request, as a process makes it before it dies. @returns its id */
async function leaveRun(runs: RunEvents, events: readonly string[]): Promise<string> {
  const runId = await new StreamRuns({ ...OWNER, runs }, "ag-ui").runIdOf('["tea","r"]');
  await runs.create({ ...OWNER, runId, topic: "tea" });
  const { fence } = await runs.claim(runId, { ...OWNER, leaseMs: 1_000 });
  const drafts = events.map((eventType) => ({ eventType, payload: { runId: "r" } }));
  if (drafts.length > 0) await runs.append(runId, drafts, { ...OWNER, fence });
  return runId;
}

const statusOf = async ({ runs }: TestServer, { runId }: RecordedRun): Promise<string> =>
  (await runs.get(runId, OWNER)).runStatus;

describe("a request that comes again", () => {
  it("resolves once it is recorded, by whichever call", async () => {
    const failing = createFailingStore();
    const server = open(failing.store);
    failing.refuse(3);
    const eventsOf = async (sent: Promise<RecordedRun>): Promise<readonly string[]> => {
      const { events } = await server.runs.read((await sent).runId, OWNER);
      return events.map(({ eventType }) => eventType);
    };
    const first = eventsOf(send(server));
    // A claim that meets the refused append in one call would be refused with it.
    await expect.poll(failing.left).toBeLessThan(3);
    const both = await Promise.all([first, eventsOf(send(server))]);
    expect(both).toEqual([["RUN_STARTED"], ["RUN_STARTED"]]);
    server.agent.finish();
  });

  it.each([
    ["a process that died before it was recorded", []],
    ["a process that died in the middle of its answer", ["RUN_STARTED", "INPUT_REQUESTED"]],
  ])("is refused after %s", async (_name, events) => {
    const server = open();
    const runId = await leaveRun(server.runs, events);
    const isAnswer = events.length > 0;
    if (isAnswer) await server.runs.input(runId, { runId: "s", resume: RESUME }, OWNER);
    const input = isAnswer ? { runId: "s", resume: RESUME } : {};
    await expect(send(server, input)).rejects.toMatchObject({
      code: "run_finished",
      message: expect.stringContaining("new `runId`"),
    });
  });

  it("is done at the end of the run, or at its question", async () => {
    const server = open();
    const { agent } = server;
    const first = await send(server);
    const again = await send(server);
    expect(again.runId).toBe(first.runId);
    await agent.asked(1);
    agent.finish(INTERRUPT);
    await again.done;
    expect(await statusOf(server, again)).toBe("waiting");
    await first.done;
    const answer = { runId: "s", resume: RESUME };
    const answered = await send(server, answer);
    const answeredAgain = await send(server, answer);
    await agent.asked(2);
    agent.finish();
    await answeredAgain.done;
    expect(await statusOf(server, answered)).toBe("completed");
    // The first request is done, too: at its own question.
    await (
      await send(server)
    ).done;
  });

  it("leaves a run that waits as it is, even if the call came too early to see it", async () => {
    const server = open();
    const { agent, runs } = server;
    const { runId, done } = await send(server);
    await agent.asked(1);
    agent.finish(INTERRUPT);
    await done;
    const streams = new StreamRuns({ ...OWNER, runs }, "ag-ui");
    const work = (): never => expect.unreachable();
    expect(await produceRun(streams, runId, {}, work, work)).toMatchObject({ code: "claimed" });
    expect(await runs.get(runId, OWNER)).toMatchObject({ runStatus: "waiting", lease: null });
  });

  it("says how the run has ended, whichever call makes it", async () => {
    const server = open();
    const runs = [await send(server), await send(server)];
    await server.threads.stop({ ...OWNER, threadId: "tea" });
    for (const { done } of runs) await expect(done).rejects.toMatchObject({ code: "run_finished" });
  });
});
