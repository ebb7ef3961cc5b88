import { createRunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { createFailingStore, type FailingStore, IN_DOUBT } from "../failing-store.ts";
import { createServer, type TestServer, textsOf } from "./server.ts";

const INTERRUPT = { type: "interrupt", interrupts: [{ id: "i", reason: "approval" }] };

function open(): { readonly failing: FailingStore; readonly server: TestServer } {
  const failing = createFailingStore();
  const runs = createRunEvents({ store: failing.store });
  onTestFinished(() => runs.close());
  return { failing, server: createServer(runs, { leaseMs: 1_000, mergeMs: 0 }) };
}

it("a store that is away for a moment costs a run no event, no question and no answer", async () => {
  const { failing, server } = open();
  const { agent } = server;
  const page = server.openPage("tea");
  failing.refuse(2);
  const sent = page.send("Why?");
  await agent.asked(1);
  agent.say("Half ");
  await expect.poll(() => textsOf(page.agent.messages)).toEqual(["Why?", "Half "]);
  failing.refuse(2);
  agent.say("an ");
  await expect.poll(() => textsOf(page.agent.messages)).toEqual(["Why?", "Half an "]);
  failing.refuse(2);
  failing.refuseReads(3);
  agent.say("answer");
  agent.finish(INTERRUPT);
  await sent;
  expect(page.agent.pendingInterrupts).toMatchObject([{ id: "i" }]);
  failing.refuse(2);
  failing.refuseReads(3);
  const resumed = page.agent.runAgent({ resume: [{ interruptId: "i", status: "resolved" }] });
  await agent.asked(2);
  failing.refuse(2);
  agent.finish();
  await resumed;
  expect(page.events.at(-1)?.type).toBe("RUN_FINISHED");
  const later = server.openPage("tea");
  await later.agent.connectAgent();
  expect(textsOf(later.agent.messages)).toEqual(["Why?", "Half an answer"]);
});

it("a run whose end may have been lost ends with an error for its readers", async () => {
  const { failing, server } = open();
  const page = server.openPage("tea");
  const sent = page.send("Why?");
  await server.agent.asked(1);
  server.agent.say("Half ");
  await expect.poll(() => textsOf(page.agent.messages)).toContain("Half ");
  failing.refuse(1, IN_DOUBT);
  server.agent.finish();
  await sent;
  expect(page.events.at(-1)).toMatchObject({
    type: "RUN_ERROR",
    message: "The run was cut short.",
  });
});
