import { describe, expect, it } from "vitest";
import { askHalf, READY, standOf, textsOf } from "./page-turns.ts";
import { createRunServer, openRunPage, type RunPage, type RunServer } from "./run-page.ts";
import { asked, openRuns, PLACE, saying } from "./small-chats.ts";

const OUT = { code: "unauthenticated" };

/** A page whose user is signed out in the middle of an answer. */
async function openSignedOut(heartbeatMs = 20): Promise<{
  readonly server: RunServer;
  readonly page: RunPage;
}> {
  const server = createRunServer(openRuns(), { heartbeatMs });
  const page = openRunPage(server, "tea");
  page.watch();
  const { sent } = await askHalf(page, server);
  server.user = null;
  await sent;
  return { server, page };
}

describe("a page whose user is signed out in mid-answer", () => {
  it("says to sign in, and asks for nothing more", async () => {
    const { server, page } = await openSignedOut();
    expect(standOf(page)).toMatchObject(["error", OUT]);
    expect(page.chat.error?.message).toContain("Sign in");
    await expect.poll(page.standing).toMatchObject({ isWaiting: false, error: OUT });
    expect(page.standing()?.error?.message).toContain("Sign in");
    await expect.poll(() => server.openAnswers()).toBe(0);
    const { length } = server.requests;
    await expect(page.chat.resumeStream()).resolves.toBeUndefined();
    expect(server.requests.slice(length)).toEqual(["GET /api/chat/tea/stream"]);
  });

  it.each(["a question", "a reconnect", "a stop"])(
    "and in again goes on with %s: the answer is whole, and turns of others appear",
    async (which) => {
      const { server, page } = await openSignedOut();
      await expect.poll(page.standing).toMatchObject({ error: OUT });
      server.user = "ada";
      if (which !== "a stop") server.model.say("an answer");
      if (which === "a reconnect") {
        void page.chat.resumeStream();
        await expect.poll(() => page.chat.text).toBe("Half an answer");
        server.model.finish();
      } else if (which === "a stop") expect(await page.transport.stop("tea")).toBe(true);
      else {
        server.model.finish();
        await expect
          .poll(async () => (await server.chats.active("tea", { ownerId: "ada" }))?.runId)
          .toBe(undefined);
        const sent = page.chat.sendMessage({ text: "And?" });
        await server.model.asked(2);
        server.model.say("So.");
        server.model.finish();
        await sent;
      }
      const first = which === "a stop" ? "Half " : "Half an answer";
      const texts = ["Why?", first, ...(which === "a question" ? ["And?", "So."] : [])];
      await expect.poll(() => textsOf(page)).toEqual(texts);
      await expect.poll(() => standOf(page)).toEqual(READY);
      await expect.poll(page.standing).toEqual({ isWaiting: false, error: null });
      await server.chats.answer({ ...PLACE, message: asked("b") }, () => saying("to b"));
      await expect.poll(() => textsOf(page)).toEqual([...texts, "b", "to b"]);
    },
  );

  it("twice, and in again each time, has the whole answer", async () => {
    const { server, page } = await openSignedOut();
    await expect.poll(page.standing).toMatchObject({ error: OUT });
    server.user = "ada";
    // A call of another chat shows that the session is back.
    expect(await page.transport.stop("wine")).toBe(false);
    server.model.say("an ");
    await expect.poll(() => page.chat.text).toBe("Half an ");
    await expect.poll(page.standing).toMatchObject({ error: null });
    server.user = null;
    await expect.poll(page.standing).toMatchObject({ error: OUT });
    server.user = "ada";
    server.model.say("answer");
    server.model.finish();
    await expect
      .poll(async () => (await server.chats.active("tea", { ownerId: "ada" }))?.runId)
      .toBe(undefined);
    const sent = page.chat.sendMessage({ text: "And?" });
    await server.model.asked(2);
    server.model.say("So.");
    server.model.finish();
    await sent;
    await expect.poll(() => textsOf(page)).toEqual(["Why?", "Half an answer", "And?", "So."]);
    await expect.poll(() => standOf(page)).toEqual(READY);
  });

  it("and in again asks before the answer is whole: the refusal makes the page go on, too", async () => {
    const { server, page } = await openSignedOut();
    await expect.poll(page.standing).toMatchObject({ error: OUT });
    server.user = "ada";
    await page.chat.sendMessage({ text: "And?" });
    server.model.say("an answer");
    server.model.finish();
    await expect.poll(() => textsOf(page)).toEqual(["Why?", "Half an answer"]);
    await expect.poll(() => standOf(page)).toEqual(READY);
    await expect.poll(page.standing).toEqual({ isWaiting: false, error: null });
  });
});

describe("a page whose user is signed out while it is idle", () => {
  it("and in again goes on in all its chats, as soon as one of them asks", async () => {
    const server = createRunServer(openRuns(), { heartbeatMs: 20 });
    const userId = crypto.randomUUID();
    const pages = ["tea", "wine"].map((chatId) => openRunPage(server, chatId, [], { userId }));
    const [tea, wine] = pages as [RunPage, RunPage];
    const both = tea.transport.watch(wine.chat);
    const leave = both.subscribe(() => {});
    tea.watch();
    await expect.poll(() => server.requests).toContain("GET /v1/agent-runs");
    server.user = null;
    for (const standing of [tea.standing, both.getSnapshot])
      await expect.poll(standing).toMatchObject({ isWaiting: false, error: OUT });
    server.user = "ada";
    await tea.chat.resumeStream();
    for (const chatId of ["tea", "wine"])
      await server.chats.answer({ ...PLACE, chatId, message: asked("b") }, () => saying("to b"));
    for (const page of pages) await expect.poll(() => textsOf(page)).toEqual(["b", "to b"]);
    leave();
  });

  it("and missed a turn meanwhile gets it", async () => {
    const server = createRunServer(openRuns(), { heartbeatMs: 20 });
    const page = openRunPage(server, "tea");
    page.watch();
    await expect.poll(() => server.requests).toContain("GET /v1/agent-runs");
    const online = server.onRequest;
    // The cookie has expired for the path of chats alone.
    server.onRequest = async (request, answer) => {
      if (request.url.endsWith("/api/chat/tea")) request.headers.set("expired", "yes");
      return answer();
    };
    await server.chats.answer({ ...PLACE, message: asked("b") }, () => saying("to b"));
    await expect.poll(page.standing).toMatchObject({ isWaiting: false, error: OUT });
    server.onRequest = online;
    expect(await page.transport.stop("tea")).toBe(false);
    await expect.poll(() => textsOf(page)).toEqual(["b", "to b"]);
    await expect.poll(page.standing).toEqual({ isWaiting: false, error: null });
  });
});
