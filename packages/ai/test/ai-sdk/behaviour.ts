import type { RunEvents } from "@tm/run-events-core";
import type { UIMessage } from "ai";
import { describe, expect, it } from "vitest";
import { textOf } from "./page-chat.ts";
import { createServer } from "./server.ts";

const OWNER = { ownerId: "ada" };

type Open = () => Promise<RunEvents>;

const createId = (): string => crypto.randomUUID();

/** The `run` in a message's metadata. */
const runOf = (message: UIMessage | undefined): unknown =>
  (message?.metadata as { readonly run?: unknown } | undefined)?.run;

/** Answers that come to their end. */
function wholeAnswers(open: Open): void {
  it("a whole answer is in the page and in the log, in few events, and the next question has it", async () => {
    const server = createServer(await open(), { mergeMs: 10_000 });
    const { model } = server;
    const page = await server.openPage(createId());
    const sent = page.sendMessage({ text: "Why?" });
    await model.asked(1);
    model.say("Tea");
    await expect.poll(() => page.text).toBe("Tea");
    const tokens = Array.from({ length: 100 }, (_, index) => ` ${index}`);
    model.say(...tokens);
    model.finish();
    await sent;
    expect(page.status).toBe("ready");
    expect(page.text).toBe(`Tea${tokens.join("")}`);
    const { messages, active } = await server.chats.read(page.id, OWNER);
    expect(active).toBeNull();
    expect(messages.map(({ id, role, parts }) => ({ id, role, parts }))).toEqual(
      page.messages.map(({ id, role, parts }) => ({ id, role, parts })),
    );
    const { runs } = await server.runs.list({ ...OWNER, topic: page.id });
    expect(runOf(messages[1])).toEqual({ runId: runs[0]?.runId, runStatus: "completed" });
    // The question, the begin with the first token, all others with the end of the stream, and the end of the run.
    expect(runs[0]?.lastSequence).toBe(4);
    const log = await server.runs.read(runs[0]?.runId ?? "", OWNER);
    const joined = expect.objectContaining({ type: "text-delta", delta: tokens.join("") });
    expect(log.events[2]?.payload).toContainEqual(joined);
    const again = page.sendMessage({ text: "And?" });
    await model.asked(2);
    expect(model.prompt()).toContain(`Tea${tokens.join("")}`);
    model.finish();
    await again;
    expect(await server.read(page.id)).toHaveLength(4);
  });

  it("a page that comes in mid-answer to another server gets the whole answer, once", async () => {
    const [here, there] = [createServer(await open()), createServer(await open())];
    const first = await here.openPage(createId());
    const sent = first.sendMessage({ text: "Why?" });
    await here.model.asked(1);
    here.model.say("Half ");
    await expect.poll(() => first.text).toBe("Half ");
    const second = await there.openPage(first.id);
    expect(second.messages.map(textOf)).toEqual(["Why?", "Half "]);
    expect(runOf(second.lastMessage)).toMatchObject({ runStatus: "running" });
    const resumed = second.resumeStream();
    here.model.say("an answer");
    here.model.finish();
    await Promise.all([sent, resumed]);
    expect(second.messages.map(textOf)).toEqual(["Why?", "Half an answer"]);
    expect(second.lastMessage?.id).toBe(first.lastMessage?.id);
    expect((await there.ask("GET", `/${first.id}/stream`)).status).toBe(204);
  });

  it("a page that leaves does not stop its answer", async () => {
    const server = createServer(await open());
    const page = await server.openPage(createId());
    const sent = page.sendMessage({ text: "Why?" });
    await server.model.asked(1);
    server.model.say("Half ");
    await expect.poll(() => page.text).toBe("Half ");
    await page.stop();
    await sent;
    server.model.say("an answer");
    server.model.finish();
    await expect
      .poll(async () => runOf((await server.read(page.id))[1]))
      .toMatchObject({
        runStatus: "completed",
      });
    expect((await server.read(page.id)).map(textOf)).toEqual(["Why?", "Half an answer"]);
  });
}

/** Answers that are cut short. */
function cutAnswers(open: Open): void {
  it("a stop at another server reaches the model, and what was said is kept", async () => {
    const [here, there] = [createServer(await open()), createServer(await open())];
    const page = await here.openPage(createId());
    const sent = page.sendMessage({ text: "Why?" });
    await here.model.asked(1);
    here.model.say("Half ");
    await expect.poll(() => page.text).toBe("Half ");
    expect(await (await there.ask("POST", `/${page.id}/stop`)).json()).toEqual({ stopped: true });
    await Promise.all([here.model.stopped, sent]);
    expect(page.status).toBe("ready");
    const messages = await there.read(page.id);
    expect(messages.map(textOf)).toEqual(["Why?", "Half "]);
    expect(runOf(messages[1])).toMatchObject({ runStatus: "cancelled" });
    expect(await there.chats.stop(page.id, OWNER)).toBe(false);
  });

  it("an error of the provider fails the answer, its text is hidden, and what was said is kept", async () => {
    const server = createServer(await open());
    const page = await server.openPage(createId());
    const sent = page.sendMessage({ text: "Why?" });
    await server.model.asked(1);
    server.model.say("Half ");
    await expect.poll(() => page.text).toBe("Half ");
    server.model.fail(new Error("https://key@provider is overloaded"));
    await sent;
    expect(page.status).toBe("error");
    expect(page.error?.message).toBe("An error occurred.");
    expect(page.text).toBe("Half ");
    const messages = await server.read(page.id);
    expect(textOf(messages[1])).toBe("Half ");
    expect(runOf(messages[1])).toMatchObject({
      runStatus: "failed",
      errorText: "An error occurred.",
    });
    const { active } = await server.chats.read(page.id, OWNER);
    expect(active).toBeNull();
    const [run] = (await server.runs.list({ ...OWNER, topic: page.id })).runs;
    const log = await server.runs.read(run?.runId ?? "", OWNER);
    expect(JSON.stringify(log.events)).not.toContain("key@provider");
  });

  it("a shutdown fails the answer, and does not store a part as a whole", async () => {
    const [here, there] = [createServer(await open()), createServer(await open())];
    const first = await here.openPage(createId());
    void first.sendMessage({ text: "Why?" });
    await here.model.asked(1);
    here.model.say("Half ");
    await expect.poll(() => first.text).toBe("Half ");
    const second = await there.openPage(first.id);
    const resumed = second.resumeStream();
    await expect.poll(() => second.status).toBe("streaming");
    await here.runs.close();
    await resumed;
    expect(second.text).toBe("Half ");
    expect(second.error?.message).toBe("The answer was cut short.");
    expect(runOf((await there.read(first.id))[1])).toMatchObject({ runStatus: "failed" });
  });
}

/** Tests the bounds of a chat. */
function limits(open: Open): void {
  it("a file of 2 MB passes both ways, whole", async () => {
    const server = createServer(await open());
    const page = await server.openPage(createId());
    const data = "QUJD".repeat(524_288);
    const file = {
      type: "file" as const,
      mediaType: "image/png",
      url: `data:image/png;base64,${data}`,
    };
    const sent = page.sendMessage({ text: "What is it?", files: [file] });
    await server.model.asked(1);
    expect(server.model.prompt()).toContain(data);
    server.model.write({
      type: "file",
      mediaType: "image/png",
      data: { type: "data", data },
    });
    server.model.finish();
    await sent;
    const messages = await server.read(page.id);
    expect(messages.map(({ parts }) => parts)).toEqual(page.messages.map(({ parts }) => parts));
    expect(messages[1]?.parts).toContainEqual(file);
  });

  it("of two questions at once one is answered, and the other refused", async () => {
    const [here, there] = [createServer(await open()), createServer(await open())];
    const id = createId();
    const question = (messageId: string): unknown => ({
      id,
      message: { id: messageId, role: "user", parts: [{ type: "text", text: messageId }] },
    });
    const asked = await Promise.all([
      here.ask("POST", "", question("a")),
      there.ask("POST", "", question("b")),
    ]);
    expect(asked.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const refused = asked.find(({ status }) => status === 409);
    const { active } = await here.chats.read(id, OWNER);
    expect(await refused?.json()).toMatchObject({ code: "topic_busy", runId: active?.runId });
    const { model } = asked[0]?.status === 200 ? here : there;
    await model.asked(1);
    model.finish();
    await asked.find(({ status }) => status === 200)?.text();
    expect(await here.read(id)).toHaveLength(2);
  });
}

/** Tests chats on any store. @param open opens the same runs once more, as another process would */
export function behaviour(name: string, open: Open): void {
  describe(`chats: ${name}`, () => {
    wholeAnswers(open);
    cutAnswers(open);
    limits(open);
  });
}
