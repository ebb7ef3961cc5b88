import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runEventsStream } from "../../src/tanstack-ai.ts";
import { startProducer } from "../start-producer.ts";
import { LOCAL, SERVERS } from "../stores.ts";
import { usePlace } from "../use-place.ts";
import { readRun, textChunk } from "./chunks.ts";

const PRODUCER = join(import.meta.dirname, "producer-process.ts");

const STORES = [...LOCAL, ...SERVERS].filter(([name]) => name !== "memory");

describe.each(STORES)("a producer in another process: %s", (_name, create) => {
  const place = usePlace(create);

  it("a producer that is killed ends its readers with an error, and none goes on where it stopped", async () => {
    const keyPrefix = crypto.randomUUID();
    const producer = await startProducer(PRODUCER, place.url(), keyPrefix);
    const runs = await place.open();
    const open = (): ReturnType<typeof runEventsStream> =>
      runEventsStream({ runId: "a" }, { runs, keyPrefix, leaseMs: 2_000 });
    const entries = open().read("-1")[Symbol.asyncIterator]();
    expect((await entries.next()).done).toBe(false);
    producer.kill("SIGKILL");
    await expect(entries.next()).rejects.toThrow("lease_expired");
    await expect(open().append([textChunk("x")])).rejects.toMatchObject({ code: "run_finished" });
    expect(await readRun(open())).toMatchObject({
      texts: ["half an "],
      error: { code: "run_finished" },
    });
    expect(await open().snapshot()).toHaveLength(1);
  });
});
