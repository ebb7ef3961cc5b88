import { startRun } from "@tm/run-events-client";
import { workRun } from "@tm/run-events-client/work";
import { expect, it } from "vitest";
import { failureOf } from "../failure-of.ts";
import { record, startRunsServer } from "../runs-server.ts";

const CREDENTIAL = { bearer: "ada" } as const;
/** A generated image, as text. */
const IMAGE = "x".repeat(600_000);

it("W9: workRun and startRun send any payload that their server accepts, however large", async () => {
  const { port, runs } = await startRunsServer({}, { maxPayloadBytes: 1_000_000 });
  const runId = await record(runs, 0);
  const baseUrl = `http://127.0.0.1:${port}`;
  await workRun({ baseUrl, runId, credential: CREDENTIAL, leaseMs: 60_000 }, async (run) => {
    await run.append([{ eventType: "IMAGE", payload: IMAGE }]);
    await run.emit("IMAGE", IMAGE);
    return IMAGE;
  });
  const started = await startRun({ baseUrl, credential: CREDENTIAL });
  await started.emit("IMAGE", IMAGE);
  await started.complete(IMAGE);
  for (const [id, sizes] of [
    [runId, [IMAGE.length, IMAGE.length, IMAGE.length]],
    [started.runId, [undefined, IMAGE.length, IMAGE.length]],
  ] as const) {
    const { events } = await runs.as("ada").read(id);
    const lengths = events.map(({ payload }) => (payload as string | null)?.length);
    expect(lengths).toEqual(sizes);
  }
});

it("W9: a payload that the server refuses ends the work with its error, and the run as failed, however long the message", async () => {
  const { port, runs } = await startRunsServer();
  const [runId, other] = [await record(runs, 0), await record(runs, 0)];
  const options = { baseUrl: `http://127.0.0.1:${port}`, credential: CREDENTIAL, leaseMs: 60_000 };
  const emitting = workRun({ ...options, runId }, async (run) => run.emit("IMAGE", IMAGE));
  expect(await failureOf(emitting)).toMatchObject({ code: "payload_too_large" });
  const failing = workRun({ ...options, runId: other }, () => {
    throw new Error(IMAGE);
  });
  expect(await failureOf(failing)).toMatchObject({ message: IMAGE });
  for (const id of [runId, other]) {
    expect(await runs.as("ada").get(id)).toMatchObject({ runStatus: "failed" });
  }
});
