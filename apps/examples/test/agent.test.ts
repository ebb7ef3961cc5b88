import {
  createMemoryStore,
  createRunEvents,
  type EventDraft,
  type OwnedRuns,
  type WorkedRun,
} from "@tm/run-events-core";
import { expect, it, vi } from "vitest";
import { startTools } from "./tool-server.ts";
import { STEPS, wholeLog } from "./whole-log.ts";

interface AgentModule {
  agent(runs: OwnedRuns, run: WorkedRun): Promise<unknown>;
}

it("the agent goes on after any event that its log ends with, with the keys of the log", async () => {
  const tools = await startTools();
  vi.stubEnv("TOOLS_URL", tools.url);
  const file = "../src/agent.mjs";
  const { agent } = (await import(file)) as AgentModule;
  const runs = createRunEvents({ store: createMemoryStore() });
  const ada = runs.as("ada");
  const drafts = STEPS.slice(0, -1).map((step): EventDraft => {
    const [eventType = "", tool = ""] = step.split(" ");
    return { eventType, payload: { tool, key: `key of ${tool}` } };
  });
  for (let length = 0; length <= drafts.length; length++) {
    const { runId } = await ada.create();
    if (length > 0) await ada.append(runId, drafts.slice(0, length));
    tools.calls.splice(0);
    await ada.work(runId, { leaseMs: 60_000 }, (run) => agent(ada, run));
    expect(await wholeLog(ada, runId)).toEqual(STEPS);
    // It uses the tool of the open step, and none of a finished one.
    expect(tools.calls.length).toBe(3 - Math.floor(length / 2));
    if (length % 2 === 1) expect(tools.calls[0]).toEqual(drafts[length - 1]?.payload);
  }
  await runs.close();
});
