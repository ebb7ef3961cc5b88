import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startProducer } from "../start-producer.ts";
import { LOCAL, SERVERS } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { createServer, textsOf } from "./server.ts";

const PRODUCER = join(import.meta.dirname, "producer-process.ts");
const STORES = [...LOCAL, ...SERVERS].filter(([name]) => name !== "memory");

describe.each(STORES)("a thread of a process that is killed: %s", (_name, create) => {
  const place = usePlace(create);

  it("readers get what was said and RUN_ERROR, and the next question is answered", async () => {
    const threadId = crypto.randomUUID();
    const producer = await startProducer(PRODUCER, place.url(), threadId, "says");
    const server = createServer(await place.open());
    const page = server.openPage(threadId);
    const connected = page.agent.connectAgent();
    await expect.poll(() => textsOf(page.agent.messages)).toContain("Half an ");
    producer.kill("SIGKILL");
    await connected;
    expect(page.events.at(-1)).toMatchObject({
      type: "RUN_ERROR",
      message: "The run was cut short.",
      code: "lease_expired",
    });
    const sent = page.send("And?");
    await server.agent.asked(1);
    server.agent.say("So.");
    server.agent.finish();
    await sent;
    const later = server.openPage(threadId);
    await later.agent.connectAgent();
    expect(textsOf(later.agent.messages)).toEqual(["Why?", "Half an ", "And?", "So."]);
  });

  it("a run that waits outlives the process that has asked, and another one goes on with the answer", async () => {
    const threadId = crypto.randomUUID();
    const producer = await startProducer(PRODUCER, place.url(), threadId, "asks");
    producer.kill("SIGKILL");
    const server = createServer(await place.open());
    const page = server.openPage(threadId);
    await page.agent.connectAgent();
    expect(page.agent.pendingInterrupts).toMatchObject([{ id: "i" }]);
    const resumed = page.agent.runAgent({ resume: [{ interruptId: "i", status: "resolved" }] });
    await server.agent.asked(1);
    server.agent.say("Sent.");
    server.agent.finish();
    await resumed;
    expect(textsOf(page.agent.messages)).toEqual(["Why?", "Half an ", "Sent."]);
  });
});
