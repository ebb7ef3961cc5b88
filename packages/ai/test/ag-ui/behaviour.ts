import { HttpAgent } from "@ag-ui/client";
import type { RunEvents } from "@tm/run-events-core";
import { describe, expect, it } from "vitest";
import { createServer, textsOf } from "./server.ts";

const OWNER = { ownerId: "ada" };
/** A question as an agent asks it. */
const INTERRUPT = {
  type: "interrupt",
  interrupts: [{ id: "i-1", reason: "approval", message: "Send the mail?" }],
};
const YES = [{ interruptId: "i-1", status: "resolved" as const, payload: { approved: true } }];

type Open = () => Promise<RunEvents>;

const createId = (): string => crypto.randomUUID();

/** Runs that come to their end. */
function wholeRuns(open: Open): void {
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
    const log = await server.runs.read(runs[0]?.runId ?? "");
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

  it("a page that goes away does not stop its run, and with `since` a later one reads only what it lacks", async () => {
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

/** Runs that ask a person. */
function waitingRuns(open: Open): void {
  it("an interrupt makes the run wait without a worker, and an answer at another server goes on with it", async () => {
    const [here, there] = [createServer(await open()), createServer(await open())];
    const page = here.openPage(createId());
    const { threadId } = page.agent;
    const sent = page.send("Mail it.");
    await here.agent.asked(1);
    here.agent.finish(INTERRUPT);
    await sent;
    expect(page.agent.pendingInterrupts).toEqual(INTERRUPT.interrupts);
    const run = async () => (await here.runs.list({ ...OWNER, topic: threadId })).runs[0];
    await expect.poll(run).toMatchObject({ runStatus: "waiting", lease: null });
    const later = there.openPage(threadId);
    await later.agent.connectAgent();
    expect(later.agent.pendingInterrupts).toEqual(INTERRUPT.interrupts);
    const { since, messages: initialMessages } = later.agent;
    const reloaded = there.openPage(threadId, { since, initialMessages });
    await reloaded.agent.connectAgent();
    expect(reloaded.agent.pendingInterrupts).toEqual(INTERRUPT.interrupts);
    const resumed = reloaded.agent.runAgent({ resume: YES });
    const { input } = await there.agent.asked(1);
    expect(input.resume).toEqual(YES);
    expect(await run()).toMatchObject({ runStatus: "running" });
    there.agent.say("Sent.");
    there.agent.finish();
    await resumed;
    expect(textsOf(reloaded.agent.messages)).toEqual(["Mail it.", "Sent."]);
    expect(await run()).toMatchObject({ runStatus: "completed" });
    const whole = here.openPage(threadId);
    await whole.agent.connectAgent();
    expect(textsOf(whole.agent.messages)).toEqual(["Mail it.", "Sent."]);
    expect(whole.agent.pendingInterrupts).toEqual([]);
    expect(whole.events.filter(({ type }) => type === "RUN_FINISHED")).toHaveLength(2);
  });

  it("of two answers at once one goes on, an answer that leaves a question open is refused, and so is a new run", async () => {
    const [here, there] = [createServer(await open()), createServer(await open())];
    const threadId = createId();
    const input = (resume?: unknown): unknown => ({
      threadId,
      runId: createId(),
      messages: [],
      ...(resume !== undefined && { resume }),
    });
    const codeOf = async (response: Response): Promise<unknown> => (await response.json()).code;
    expect(await codeOf(await here.ask("POST", "", input(YES)))).toBe("run_finished");
    const first = here.ask("POST", "", input());
    await here.agent.asked(1);
    expect(await codeOf(await there.ask("POST", "", input()))).toBe("topic_busy");
    expect(await codeOf(await there.ask("POST", "", input(YES)))).toBe("topic_busy");
    here.agent.finish(INTERRUPT);
    await (await first).text();
    expect(await codeOf(await there.ask("POST", "", input()))).toBe("topic_busy");
    const others = [{ interruptId: "i-2", status: "cancelled" }];
    expect(await codeOf(await there.ask("POST", "", input(others)))).toBe("invalid_request");
    const answers = await Promise.all([
      here.ask("POST", "", input(YES)),
      there.ask("POST", "", input(YES)),
    ]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const [winner, index] = answers[0]?.status === 200 ? [here, 2] : [there, 1];
    await winner.agent.asked(index);
    winner.agent.finish();
    const { runs } = await here.runs.list({ ...OWNER, topic: threadId });
    await Promise.all(answers.map((answer) => answer.text()));
    const log = await here.runs.read(runs[0]?.runId ?? "");
    const inputs = log.events.filter(({ eventType }) => eventType === "INPUT_RECEIVED");
    expect(inputs).toMatchObject([{ payload: { resume: YES } }]);
    expect(log.runStatus).toBe("completed");
  });

  it("a run that waits outlives readers that look for dead workers, and a stop ends it for them", async () => {
    const server = createServer(await open());
    const page = server.openPage(createId());
    const sent = page.send("Mail it.");
    await server.agent.asked(1);
    server.agent.finish(INTERRUPT);
    await sent;
    const { threadId } = page.agent;
    expect(
      (await server.ask("POST", "", { threadId, runId: createId(), messages: [] })).status,
    ).toBe(409);
    expect(await server.threads.stop({ ...OWNER, threadId })).toBe(true);
    const later = server.openPage(threadId);
    await later.agent.connectAgent();
    expect(later.agent.pendingInterrupts).toEqual([]);
    expect(later.events.at(-1)).toMatchObject({
      type: "RUN_FINISHED",
      outcome: { type: "cancelled" },
    });
    expect(await server.threads.stop({ ...OWNER, threadId })).toBe(false);
  });
}

/** Runs that are cut short. */
function cutRuns(open: Open): void {
  it("a stop by a page of another server reaches the agent, and all that is open is closed for its readers", async () => {
    const [here, there] = [createServer(await open()), createServer(await open())];
    const page = here.openPage(createId());
    const sent = page.send("Why?");
    await here.agent.asked(1);
    here.agent.write(
      { type: "STEP_STARTED", stepName: "think" },
      { type: "REASONING_START", messageId: "r" },
      { type: "REASONING_MESSAGE_START", messageId: "r", role: "reasoning" },
      { type: "SUBAGENT_STARTED", subagentRunId: "s", name: "helper" },
      { type: "STEP_STARTED", stepName: "think", subagentRunId: "s" },
      { type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "look" },
    );
    here.agent.say("Half ");
    await expect.poll(() => textsOf(page.agent.messages)).toContain("Half ");
    const other = there.openPage(page.agent.threadId);
    other.agent.abortRun();
    await Promise.all([here.agent.stopped(), sent]);
    const cancelled = { type: "RUN_FINISHED", outcome: { type: "cancelled" } };
    expect(page.events.at(-1)).toMatchObject(cancelled);
    await other.agent.connectAgent();
    expect(other.events.at(-1)).toMatchObject(cancelled);
    expect(other.agent.messages).toEqual(page.agent.messages);
    const [run] = (await here.runs.list({ ...OWNER, topic: page.agent.threadId })).runs;
    expect(run?.runStatus).toBe("cancelled");
  });

  it.each([
    ["throws", "An error occurred.", "failed"],
    ["has no end", "The run was cut short.", "failed"],
    ["says that it has failed", "No model is free.", "failed"],
    ["says that it was cancelled", null, "cancelled"],
  ] as const)("an agent that %s", async (what, message, status) => {
    const server = createServer(await open());
    const page = server.openPage(createId());
    const sent = page.send("Why?");
    const { agent } = server;
    await agent.asked(1);
    agent.say("Half ");
    await expect.poll(() => textsOf(page.agent.messages)).toContain("Half ");
    if (what === "throws") agent.fail(new Error("https://key@provider is overloaded"));
    else if (what === "has no end") agent.leave();
    else if (message === null) agent.finish({ type: "cancelled" });
    else agent.write({ type: "RUN_ERROR", message, code: "busy" });
    await sent;
    const end =
      message === null ? { outcome: { type: "cancelled" } } : { type: "RUN_ERROR", message };
    expect(page.events.at(-1)).toMatchObject(end);
    expect(textsOf(page.agent.messages)).toEqual(["Why?", "Half "]);
    const { threadId } = page.agent;
    const later = server.openPage(threadId);
    await later.agent.connectAgent();
    expect(later.events.map(({ type }) => type)).toEqual(page.events.map(({ type }) => type));
    const [run] = (await server.runs.list({ ...OWNER, topic: threadId })).runs;
    expect(run?.runStatus).toBe(status);
    const next = page.send("And?");
    await agent.asked(2);
    agent.finish();
    await next;
  });

  it("an event of 2 MB passes, and a request that comes again joins its run", async () => {
    const server = createServer(await open());
    const threadId = createId();
    const content = "QUJD".repeat(524_288);
    const input = { threadId, runId: createId(), messages: [{ id: "m", role: "user", content }] };
    const first = server.ask("POST", "", input);
    await server.agent.asked(1);
    server.agent.write({ type: "CUSTOM", name: "big", value: content });
    const second = server.ask("POST", "", input);
    server.agent.say("Seen.");
    server.agent.finish();
    const [one, two] = await Promise.all(
      [first, second].map(async (given) => (await given).text()),
    );
    expect(one).toBe(two);
    expect(one?.split(content)).toHaveLength(3);
    expect(await (await server.ask("POST", "", input)).text()).toBe(one);
  });
}

/** What threads do on any store. @param open opens the same runs once more, as another process would */
export function behaviour(name: string, open: Open): void {
  describe(`threads of AG-UI: ${name}`, () => {
    wholeRuns(open);
    waitingRuns(open);
    cutRuns(open);
  });
}
