import { openUrl } from "../stores.ts";
import { createServer } from "./server.ts";

// Begins a run that it never ends, or one that waits.
const [, , url = "", threadId = "", what] = process.argv;
const { runs } = await openUrl(url);
const { agent, openPage } = createServer(runs);
const page = openPage(threadId);
const sent = page.send("Why?");
await agent.asked(1);
agent.say("Half ", "an ");
if (what === "asks") {
  agent.finish({ type: "interrupt", interrupts: [{ id: "i", reason: "approval" }] });
  await sent;
} else {
  for await (const { event } of await createServer(runs).threads.follow({
    threadId,
    ownerId: "ada",
  })) {
    if (event.type === "TEXT_MESSAGE_CONTENT") break;
  }
}
process.send?.("made");
