import { createMemoryStore, createRunEvents, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { expect, it } from "vitest";
import { createResumableStreamContext } from "../../src/resumable-stream.ts";
import { createTextSource, readPart, readUntil } from "../text-source.ts";

it("a producer that loses its store for longer than its lease stops, and all readers get an error", async () => {
  const store = createMemoryStore();
  let isAway = false;
  const check = async (): Promise<void> => {
    if (isAway) throw new RunEventsError("store_unavailable", "The store is away.");
  };
  const cutOff: RunEventStore = {
    ...store,
    append: (requests) => check().then(() => store.append(requests)),
    renew: (request) => check().then(() => store.renew(request)),
  };
  const [here, there] = [cutOff, store].map((one) =>
    createResumableStreamContext({ runs: createRunEvents({ store: one }), leaseMs: 2_000 }),
  );
  const { stream, write, cancelled } = createTextSource();
  const made = await here?.createNewResumableStream("a", () => stream);
  write("1");
  const other = await there?.resumeExistingStream("a");
  await readUntil(other, "1");
  isAway = true;
  write("2");
  const [{ text, error }, otherPart] = await Promise.all([readPart(made), readPart(other)]);
  expect(text).toBe("12");
  expect(error).toBeInstanceOf(RunEventsError);
  expect(otherPart).toMatchObject({ text: "", error: { code: "run_finished" } });
  await cancelled;
  const late = await readPart(await there?.resumeExistingStream("a"));
  expect(late).toMatchObject({ text: "1", error: { details: { runStatus: "failed" } } });
  await store.close();
});
