import { openUrl } from "../stores.ts";
import { createServer } from "./server.ts";

// Begins an answer that it never ends.
const [, , url = "", chatId = ""] = process.argv;
const { runs } = await openUrl(url);
const { openPage, model, chats } = createServer(runs);
const page = await openPage(chatId);
void page.sendMessage({ text: "Why?" });
await model.asked(1);
model.say("Half ", "an ");
for await (const { type } of (await chats.follow(chatId, { ownerId: "ada" })) ?? []) {
  if (type === "text-delta") process.send?.("made");
}
