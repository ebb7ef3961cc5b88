import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  createResumableStreamContext,
  type ResumableStreamContext,
} from "../../src/resumable-stream.ts";
import { LOCAL, SERVERS } from "../stores.ts";
import { readAll, readPart, readUntil, streamOf } from "../text-source.ts";
import { usePlace } from "../use-place.ts";

const PRODUCER = join(import.meta.dirname, "producer-process.ts");

const STORES = [...LOCAL, ...SERVERS].filter(([name]) => name !== "memory");

describe.each(STORES)("a producer in another process: %s", (_name, create) => {
  const place = usePlace(create);

  /** Starts a producer that has written "half an ", and reads that much in this process. */
  async function readOfAnother(leaseMs = 2_000): Promise<{
    readonly producer: ChildProcess;
    readonly streams: ResumableStreamContext;
    readonly reader: ReadableStream<string> | null | undefined;
  }> {
    const keyPrefix = crypto.randomUUID();
    const args = [place.url(), keyPrefix, String(leaseMs)];
    const producer = fork(PRODUCER, args, { execArgv: ["-C", "@tm/source"] });
    onTestFinished(() => void producer.kill("SIGKILL"));
    await once(producer, "message");
    const runs = await place.open();
    const streams = createResumableStreamContext({ runs, keyPrefix, leaseMs });
    const reader = await streams.resumeExistingStream("a");
    await readUntil(reader, "half an ");
    return { producer, streams, reader };
  }

  const died = {
    code: "run_finished",
    details: { runStatus: "failed" },
    message: expect.stringContaining("lease_expired") as unknown,
  };

  it("a producer that is killed ends its readers with an error, although no program reaps", async () => {
    const { producer, streams, reader } = await readOfAnother();
    producer.kill("SIGKILL");
    const { text, error } = await readPart(reader);
    expect(text).toBe("");
    expect(error).toMatchObject(died);
    const late = await readPart(await streams.resumeExistingStream("a"));
    expect(late).toMatchObject({ text: "half an ", error: died });
    expect(await streams.hasExistingStream("a")).toBe("DONE");
  });

  it("no other producer goes on where a killed one stopped, but a new stream may take the id", async () => {
    const { producer, streams } = await readOfAnother();
    producer.kill("SIGKILL");
    await once(producer, "exit");
    const never = (): never => expect.unreachable();
    const rest = await readPart(await streams.resumableStream("a", never));
    expect(rest).toMatchObject({ text: "half an ", error: died });
    const made = await streams.createNewResumableStream("a", () => streamOf(["whole"]));
    expect(await readAll(made)).toBe("whole");
  });

  it("a cancel here stops the producer there", async () => {
    const { producer, streams, reader } = await readOfAnother(60_000);
    const [message] = await Promise.all([
      once(producer, "message"),
      streams.cancelExistingStream("a"),
    ]);
    expect(message[0]).toBe("cancelled");
    expect((await readPart(reader)).error).toMatchObject({ details: { runStatus: "cancelled" } });
  });
});
