import type { RunEvents } from "@tm/run-events-core";
import { expect, it } from "vitest";
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

/** Runs that ask a person. */
export function waitingRuns(open: Open): void {
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
}

/** Requests to a run that asks a person. */
export function answeredRuns(open: Open): void {
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
    const asked = input();
    const first = here.ask("POST", "", asked);
    await here.agent.asked(1);
    expect(await codeOf(await there.ask("POST", "", input()))).toBe("topic_busy");
    expect(await codeOf(await there.ask("POST", "", input(YES)))).toBe("topic_busy");
    here.agent.finish(INTERRUPT);
    const said = await (await first).text();
    // A request that comes again does not take the run for one whose process has died.
    expect(await (await there.ask("POST", "", asked)).text()).toBe(said);
    expect(await codeOf(await there.ask("POST", "", input()))).toBe("topic_busy");
    const others = [{ interruptId: "i-2", status: "cancelled" }];
    expect(await codeOf(await there.ask("POST", "", input(others)))).toBe("invalid_request");
    const given = [input(YES), input(YES)];
    const answers = await Promise.all([
      here.ask("POST", "", given[0]),
      there.ask("POST", "", given[1]),
    ]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const [winner, index, won] = answers[0]?.status === 200 ? [here, 2, 0] : [there, 1, 1];
    await winner.agent.asked(index);
    winner.agent.finish();
    const { runs } = await here.runs.list({ ...OWNER, topic: threadId });
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    // Each request that comes again gets its own run, and no more.
    expect(await (await here.ask("POST", "", given[won])).text()).toBe(texts[won]);
    expect(await (await there.ask("POST", "", asked)).text()).toBe(said);
    const log = await here.runs.read(runs[0]?.runId ?? "", OWNER);
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
