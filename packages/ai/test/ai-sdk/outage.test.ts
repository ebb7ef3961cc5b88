import { createRunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { createChats } from "../../src/ai-sdk.ts";
import { createFailingStore } from "../failing-store.ts";
import { asked, OWNER, PLACE, runOf } from "./small-chats.ts";
import { createWrittenModel } from "./written-model.ts";

it("a store that is away for a moment costs an answer nothing, from its question to its end", async () => {
  const { store, refuse } = createFailingStore();
  const runs = createRunEvents({ store });
  onTestFinished(() => runs.close());
  const chats = createChats({ runs, mergeMs: 0 });
  const model = createWrittenModel();
  refuse(2);
  const { stream, done } = await chats.answer({ ...PLACE, message: asked("a") }, model.answer);
  let text = "";
  const read = (async () => {
    for await (const chunk of stream) if (chunk.type === "text-delta") text += chunk.delta;
  })();
  await model.asked(1);
  for (const token of ["Tea", " is", " hot."]) {
    refuse(2);
    model.say(token);
    await expect.poll(() => text).toContain(token);
  }
  refuse(2);
  model.finish();
  await Promise.all([read, done]);
  const { messages } = await chats.read("tea", OWNER);
  expect(runOf(messages[1])).toMatchObject({ runStatus: "completed" });
  expect(text).toBe("Tea is hot.");
});

it("a store that is away while the earlier messages are read refuses no question", async () => {
  const { store, refuseReads } = createFailingStore();
  const runs = createRunEvents({ store });
  onTestFinished(() => runs.close());
  const chats = createChats({ runs, mergeMs: 0 });
  const model = createWrittenModel();
  for (const [index, id] of ["a", "b"].entries()) {
    refuseReads(2);
    const question = { ...PLACE, message: asked(id), idempotencyKey: id };
    const { done } = await chats.answer(question, model.answer);
    await model.asked(index + 1);
    model.finish();
    await done;
  }
  expect((await chats.read("tea", OWNER)).messages).toHaveLength(4);
});
