import { HttpAgent } from "@ag-ui/client";
import type { RunEvents } from "@tm/run-events-core";
import { expect, it } from "vitest";
import { createServer, textsOf } from "./server.ts";

const OWNER = { ownerId: "ada" };

type Open = () => Promise<RunEvents>;

const createId = (): string => crypto.randomUUID();

/** Runs that come to their end. */
export function wholeRuns(open: Open): void {
  it("a whole run is in the page and in the log, in few events, and a later page has the whole thread", async () => {
    const server = createServer(await open(), { mergeMs: 10_000 });
    const { agent } = server;
    const page = server.openPage(createId());
    const sent = page.send("Why?");
    await agent.asked(1);
    agent.say("Tea");
    await expect.poll(() => textsOf(page.agent.messages)).toEqual(["Why?", "Tea"]);
    const pieces = Array.from({ length: 100 }, (_, index) => ` ${index}`);
    agent.say(...pieces);
    agent.finish();
    await sent;
    const whole = `Tea${pieces.join("")}`;
    expect(textsOf(page.agent.messages)).toEqual(["Why?", whole]);
    const { runs } = await server.runs.list({ ...OWNER, topic: page.agent.threadId });
    expect(runs.map(({ runStatus }) => runStatus)).toEqual(["completed"]);
    const log = await server.runs.read(runs[0]?.runId ?? "", OWNER);
    expect(log.events.map(({ eventType }) => eventType)).toEqual([
      "RUN_STARTED",
      "TEXT_MESSAGE_START",
      "TEXT_MESSAGE_CONTENT",
      "TEXT_MESSAGE_CONTENT",
      "TEXT_MESSAGE_END",
      "RUN_FINISHED",
      "RUN_COMPLETED",
    ]);
    expect(log.events[3]?.payload).toMatchObject({ delta: pieces.join("") });
    const again = page.send("And?");
    const { input } = await agent.asked(2);
    expect(textsOf(input.messages)).toEqual(["Why?", whole, "And?"]);
    agent.say("So.");
    agent.finish();
    await again;
    const later = server.openPage(page.agent.threadId);
    await later.agent.connectAgent();
    expect(later.agent.messages).toEqual(page.agent.messages);
    // Each message is in the logs once.
    const starts = later.events.filter(({ type }) => type === "RUN_STARTED");
    expect(starts).toMatchObject([
      { input: { messages: [{ content: "Why?" }] } },
      { input: { messages: [{ content: "And?" }] } },
    ]);
  });

  it("a page that comes in mid-run to another server gets the whole run, once", async () => {
    const [here, there] = [createServer(await open()), createServer(await open())];
    const first = here.openPage(createId());
    const sent = first.send("Why?");
    await here.agent.asked(1);
    here.agent.say("Half ");
    await expect.poll(() => textsOf(first.agent.messages)).toEqual(["Why?", "Half "]);
    const second = there.openPage(first.agent.threadId);
    const connected = second.agent.connectAgent();
    await expect.poll(() => textsOf(second.agent.messages)).toEqual(["Why?", "Half "]);
    here.agent.say("an answer");
    here.agent.finish();
    await Promise.all([sent, connected]);
    expect(second.agent.messages).toEqual(first.agent.messages);
    expect(textsOf(second.agent.messages)).toEqual(["Why?", "Half an answer"]);
  });
}

/** Pages that leave, pages of others, and threads of others. */
export function otherPages(open: Open): void {
  it("a page that leaves does not stop its run, and with `since` a later one reads only what it lacks", async () => {
    const server = createServer(await open());
    const page = server.openPage(createId());
    const sent = page.send("Why?");
    await server.agent.asked(1);
    server.agent.say("So.");
    server.agent.finish();
    await sent;
    const { messages: initialMessages, since, threadId } = page.agent;
    const next = page.send("And?");
    await server.agent.asked(2);
    server.agent.say("Half ");
    await expect.poll(() => textsOf(page.agent.messages)).toContain("Half ");
    await page.agent.detachActiveRun();
    await next;
    const later = server.openPage(threadId, {
      since,
      initialMessages: initialMessages.slice(0, 2),
    });
    const connected = later.agent.connectAgent();
    server.agent.say("an answer");
    server.agent.finish();
    await connected;
    expect(textsOf(later.agent.messages)).toEqual(["Why?", "So.", "And?", "Half an answer"]);
    expect(later.events.filter(({ type }) => type === "RUN_STARTED")).toHaveLength(1);
    await later.agent.connectAgent();
    expect(textsOf(later.agent.messages)).toHaveLength(4);
  });

  it("the `HttpAgent` of AG-UI runs the agent, too", async () => {
    const server = createServer(await open());
    const plain = new HttpAgent({
      url: "http://localhost/api/agent",
      threadId: createId(),
      initialMessages: [{ id: createId(), role: "user", content: "Why?" }],
      fetch: async (url, init) => server.handle(new Request(url, init)),
    });
    const sent = plain.runAgent();
    await server.agent.asked(1);
    server.agent.say("So.");
    server.agent.finish();
    await sent;
    expect(textsOf(plain.messages)).toEqual(["Why?", "So."]);
  });

  it("a thread that does not exist is empty, and one of another user is, too", async () => {
    const server = createServer(await open());
    const page = server.openPage(createId());
    const sent = page.send("Why?");
    await server.agent.asked(1);
    server.agent.finish();
    await sent;
    const { threadId, since } = page.agent;
    const other = server.openPage(threadId, { headers: { user: "bob" } });
    await other.agent.connectAgent();
    expect(other.events).toEqual([]);
    const refused = await server.ask("GET", `/${createId()}/stream?since=${since}`);
    expect([refused.status, (await refused.json()).code]).toEqual([404, "not_found"]);
  });
}
