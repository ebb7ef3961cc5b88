import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createRunEventsResumableStreamStore } from "../../src/assistant-ui.ts";
import { startProducer } from "../start-producer.ts";
import { LOCAL, SERVERS } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { readStore } from "./read-store.ts";

const PRODUCER = join(import.meta.dirname, "producer-process.ts");

const STORES = [...LOCAL, ...SERVERS].filter(([name]) => name !== "memory");

describe.each(STORES)("a producer in another process: %s", (_name, create) => {
  const place = usePlace(create);

  it("a producer that is killed ends its readers with an error, and none goes on where it stopped", async () => {
    const keyPrefix = crypto.randomUUID();
    const producer = await startProducer(PRODUCER, place.url(), keyPrefix);
    const runs = await place.open();
    const store = createRunEventsResumableStreamStore({ runs, keyPrefix, leaseMs: 2_000 });
    const entries = store.read("a", "", new AbortController().signal)[Symbol.asyncIterator]();
    expect((await entries.next()).done).toBe(false);
    producer.kill("SIGKILL");
    await expect(entries.next()).rejects.toThrow("lease_expired");
    expect(await store.acquire("a")).toBe("consumer");
    expect(await store.status("a")).toBe("error");
    expect(await readStore(store, "a")).toMatchObject({
      texts: ["half an "],
      error: { code: "run_finished" },
    });
  });

  it("a producer that was killed is found by the next one, also without a reader", async () => {
    const keyPrefix = crypto.randomUUID();
    const producer = await startProducer(PRODUCER, place.url(), keyPrefix);
    producer.kill("SIGKILL");
    const runs = await place.open();
    const store = createRunEventsResumableStreamStore({ runs, keyPrefix, leaseMs: 2_000 });
    await expect
      .poll(async () => [await store.acquire("a"), await store.status("a")])
      .toEqual(["consumer", "error"]);
  });
});
