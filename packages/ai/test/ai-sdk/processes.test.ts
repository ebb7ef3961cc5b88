import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startProducer } from "../start-producer.ts";
import { LOCAL, SERVERS } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { createServer } from "./server.ts";

const PRODUCER = join(import.meta.dirname, "producer-process.ts");

const STORES = [...LOCAL, ...SERVERS].filter(([name]) => name !== "memory");

describe.each(STORES)("a chat of a process that is killed: %s", (_name, create) => {
  const place = usePlace(create);

  it("readers get what was said and an error, the part is kept as failed, and the next question is answered", async () => {
    const chatId = crypto.randomUUID();
    const producer = await startProducer(PRODUCER, place.url(), chatId);
    const server = createServer(await place.open());
    const page = await server.openPage(chatId);
    const resumed = page.resumeStream();
    await expect.poll(() => page.text).toContain("Half ");
    producer.kill("SIGKILL");
    await resumed;
    expect(page.error?.message).toBe("The answer was cut short.");
    expect(page.text).toContain("Half ");
    const messages = await server.read(chatId);
    expect(messages.map(({ parts }) => parts)).toEqual(page.messages.map(({ parts }) => parts));
    expect(messages[1]?.metadata).toMatchObject({
      run: { runStatus: "failed", errorText: "The answer was cut short." },
    });
    const sent = page.sendMessage({ text: "And?" });
    await server.model.asked(1);
    expect(server.model.prompt()).toContain("Half ");
    server.model.finish();
    await sent;
    expect(await server.read(chatId)).toHaveLength(4);
  });
});
