import { describe, expect, it } from "vitest";
import type { SpilledFile } from "../../src/ai-sdk.ts";
import { createServer, type TestServer } from "./server.ts";
import { asked, openRuns, OWNER, PLACE, readAll, streamOf } from "./small-chats.ts";

const BASE64 = "QUJD".repeat(524_288);
const IMAGE = {
  type: "file" as const,
  mediaType: "image/png",
  url: `data:image/png;base64,${BASE64}`,
};
const SMALL = { ...IMAGE, url: "data:image/png;base64,QUJD" };

/** A server that stores large files in a list. */
function createSpilling(fail = false): {
  readonly server: TestServer;
  readonly files: readonly SpilledFile[];
} {
  const files: SpilledFile[] = [];
  const runs = openRuns();
  const spill = async (file: SpilledFile): Promise<string> => {
    if (fail) throw new Error("The disk is full.");
    return `https://files.example/${files.push(file)}`;
  };
  return { server: createServer(runs, { spill }), files };
}

describe("a file that is larger than a payload", () => {
  it("of a question and of an answer is stored elsewhere: the log, the model and readers have its URL", async () => {
    const { server, files } = createSpilling();
    const page = await server.openPage("tea");
    const sent = page.sendMessage({ text: "What is it?", files: [IMAGE] });
    await server.model.asked(1);
    server.model.write({
      type: "file",
      mediaType: "image/png",
      data: { type: "data", data: BASE64 },
    });
    server.model.finish();
    await sent;
    expect(files.map(({ data, mediaType }) => [data.length, mediaType])).toEqual([
      [1_572_864, "image/png"],
      [1_572_864, "image/png"],
    ]);
    expect(new TextDecoder().decode(files[0]?.data.subarray(0, 6))).toBe("ABCABC");
    const [{ runId } = { runId: "" }] = (await server.runs.list(OWNER)).runs;
    expect(files.map((file) => [file.chatId, file.ownerId, file.runId])).toEqual([
      ["tea", "ada", runId],
      ["tea", "ada", runId],
    ]);
    const log = await server.runs.read(runId, OWNER);
    expect(JSON.stringify(log.events).length).toBeLessThan(4_000);
    expect(server.model.prompt()).toContain("https://files.example/1");
    const [question, answer] = await server.read("tea");
    expect(question?.parts).toContainEqual({ ...IMAGE, url: "https://files.example/1" });
    const file = { ...IMAGE, url: "https://files.example/2" };
    expect(answer?.parts).toContainEqual(file);
    expect(page.lastMessage?.parts).toContainEqual(file);
  });

  it("is the only value that is stored elsewhere: a smaller file, a URL and a long text are not", async () => {
    const { server, files } = createSpilling();
    const text = "x".repeat(300_000);
    const long = { type: "text-delta" as const, id: "t", delta: text };
    const foreign = { ...IMAGE, url: `https://example.com/${text}` };
    const chunks = [SMALL, { type: "text-start" as const, id: "t" }, long, foreign];
    const message = { ...asked("a"), parts: [SMALL] };
    const { stream } = await server.chats.answer({ ...PLACE, message }, () => streamOf(...chunks));
    expect((await readAll(stream)).slice(1)).toEqual(chunks);
    expect(files).toEqual([]);
  });

  it("without valid base64 stays in the log as it is", async () => {
    const { server, files } = createSpilling();
    const broken = { ...IMAGE, url: `data:image/png;base64,?${"QUJD".repeat(70_000)}` };
    const text = { ...IMAGE, url: `data:text/plain,${"%41".repeat(100_000)}` };
    const { stream } = await server.chats.answer({ ...PLACE, message: asked("a") }, () =>
      streamOf(broken, text),
    );
    const url = "https://files.example/1";
    expect((await readAll(stream)).slice(1)).toEqual([broken, { ...text, url }]);
    expect(files.map(({ data }) => new TextDecoder().decode(data))).toEqual(["A".repeat(100_000)]);
  });

  it("that cannot be stored fails the question, or the answer", async () => {
    const { server } = createSpilling(true);
    const message = { ...asked("a"), parts: [IMAGE] };
    await expect(server.chats.answer({ ...PLACE, message }, () => streamOf())).rejects.toThrow(
      "The disk is full.",
    );
    const { stream, done } = await server.chats.answer({ ...PLACE, message: asked("a") }, () =>
      streamOf(IMAGE),
    );
    expect((await readAll(stream)).at(-1)).toEqual({
      type: "error",
      errorText: "An error occurred.",
    });
    await expect(done).rejects.toThrow("The disk is full.");
  });

  it.each([undefined, 5, "", "/files/1"])(
    "whose URL is %j fails the question: later ones of the chat would fail with it",
    async (url) => {
      const { chats } = createServer(openRuns(), { spill: () => url as string });
      const message = { ...asked("a"), parts: [IMAGE] };
      await expect(chats.answer({ ...PLACE, message }, () => streamOf())).rejects.toThrow(
        "Expected `spill` to return an absolute URL",
      );
      expect((await chats.read("tea", OWNER)).messages).toEqual([]);
    },
  );

  it("whose storing hangs delays neither a stop of its question or answer, nor a shutdown", async () => {
    const runs = openRuns();
    let onSpill = Promise.withResolvers<void>();
    const spill = (): Promise<string> => {
      onSpill.resolve();
      return new Promise(() => {});
    };
    const { chats } = createServer(runs, { spill });
    const message = { ...asked("a"), parts: [IMAGE] };
    const asking = chats.answer({ ...PLACE, message }, () => streamOf());
    await onSpill.promise;
    expect(await chats.stop("tea", OWNER)).toBe(true);
    await expect(asking).rejects.toMatchObject({ code: "run_finished" });
    onSpill = Promise.withResolvers();
    const answer = await chats.answer({ ...PLACE, message: asked("a") }, () => streamOf(IMAGE));
    await onSpill.promise;
    await runs.close();
    await expect(answer.done).rejects.toThrow("shutting down");
  });
});
