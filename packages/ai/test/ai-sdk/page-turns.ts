import { expect } from "vitest";
import type { ChatPlace } from "../../src/ai-sdk.ts";
import { textOf } from "./page-chat.ts";
import type { RunPage, RunServer } from "./run-page.ts";
import { asked, PLACE, saying } from "./small-chats.ts";

/** The texts of the messages that a page shows. */
export const textsOf = ({ chat }: RunPage): readonly string[] => chat.messages.map(textOf);
/** The status of its chat, and the error. */
export const standOf = ({ chat }: RunPage): readonly unknown[] => [chat.status, chat.error];
/** The state of a chat without an error. */
export const READY: readonly unknown[] = ["ready", undefined];

/** Another turn of a chat, which ends. */
export async function turn(
  { chats }: RunServer,
  id: string,
  { chatId, ownerId }: ChatPlace = PLACE,
): Promise<string> {
  const place = { chatId, ownerId, message: asked(id) };
  const answer = await chats.answer(place, () => saying(`to ${id}`));
  await answer.done;
  return answer.runId;
}

/** The page asks, and gets the answer. */
export async function ask(page: RunPage, { model }: RunServer, count: number): Promise<void> {
  const sent = page.chat.sendMessage({ text: "Why?" });
  await model.asked(count);
  model.say("So.");
  model.finish();
  await sent;
}

/** The page asks, and shows the begin of the answer. @returns its turn, in an object: nothing awaits it yet */
export async function askHalf(
  page: RunPage,
  { model }: RunServer,
): Promise<{ readonly sent: Promise<void> }> {
  const sent = page.chat.sendMessage({ text: "Why?" });
  await model.asked(1);
  model.say("Half ");
  await expect.poll(() => page.chat.text).toBe("Half ");
  return { sent };
}
