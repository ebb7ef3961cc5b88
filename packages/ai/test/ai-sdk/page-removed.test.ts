import { describe, expect, it } from "vitest";
import { ask, askHalf, READY, standOf, textsOf, turn } from "./page-turns.ts";
import { createRunServer, openRunPage } from "./run-page.ts";
import { openRuns, OWNER } from "./small-chats.ts";

describe("a page whose run was removed", () => {
  it("while it had no connection reads the messages again", async () => {
    const server = createRunServer(openRuns());
    const first = await turn(server, "a");
    const page = openRunPage(server, "tea", await server.read("tea"));
    page.watch();
    const { sent } = await askHalf(page, server);
    const online = server.onRequest;
    server.onRequest = () => Promise.reject(new TypeError("Failed to fetch"));
    server.cut();
    await expect.poll(() => page.standing()?.isWaiting).toBe(true);
    server.model.finish();
    const runsOf = async () => (await server.runs.list(OWNER)).runs;
    await expect.poll(async () => (await runsOf())[0]?.runStatus).toBe("completed");
    const removed = (await runsOf()).find(({ runId }) => runId !== first);
    await server.runs.delete(removed?.runId ?? "", OWNER);
    server.onRequest = online;
    await sent;
    await expect.poll(() => textsOf(page)).toEqual(["a", "to a"]);
    expect(standOf(page)).toEqual(READY);
    // So the AI SDK does not send the part as a message that is complete.
    expect(page.chat.reasons).toEqual(["interrupted"]);
    await ask(page, server, 2);
    expect(textsOf(page)).toEqual(["a", "to a", "Why?", "So."]);
  });

  it("while it was idle reads the messages again", async () => {
    const server = createRunServer(openRuns());
    const page = openRunPage(server, "tea");
    page.watch();
    await turn(server, "a");
    await expect.poll(() => textsOf(page)).toEqual(["a", "to a"]);
    // The page reads it only once its list has the run: a run that is removed before that is never listed.
    const last = await turn(server, "b");
    await expect.poll(() => textsOf(page)).toEqual(["a", "to a", "b", "to b"]);
    await server.runs.delete(last, OWNER);
    await expect.poll(() => textsOf(page)).toEqual(["a", "to a"]);
  });
});
