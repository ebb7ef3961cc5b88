import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startRun } from "@tm/run-events-client";
import { workRun } from "@tm/run-events-client/work";
import { createMemoryStore, createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { expect, it, onTestFinished } from "vitest";
import { failureOf } from "../failure-of.ts";

const CREDENTIAL = { bearer: "ada" } as const;
/** A generated image, as text. */
const IMAGE = "x".repeat(600_000);

async function startWith(
  limits: { readonly maxPayloadBytes?: number } = {},
): Promise<{ readonly baseUrl: string; readonly runs: RunEvents; readonly runId: string }> {
  const runs = createRunEvents({ store: createMemoryStore(), ...limits });
  const handler = createNodeHandler({
    runs,
    authenticate: () => ({ userId: "ada", credential: "bearer" }),
  });
  const server = createServer((request, response) => handler.handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { runId } = await runs.create({ ownerId: "ada" });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, runs, runId };
}

it("W9: workRun and startRun send any payload that their server accepts, however large", async () => {
  const { baseUrl, runs, runId } = await startWith({ maxPayloadBytes: 1_000_000 });
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
  const { baseUrl, runs, runId } = await startWith();
  const options = { baseUrl, credential: CREDENTIAL, leaseMs: 60_000 };
  const emitting = workRun({ ...options, runId }, async (run) => run.emit("IMAGE", IMAGE));
  expect(await failureOf(emitting)).toMatchObject({ code: "payload_too_large" });
  const { runId: other } = await runs.create({ ownerId: "ada" });
  const failing = workRun({ ...options, runId: other }, () => {
    throw new Error(IMAGE);
  });
  expect(await failureOf(failing)).toMatchObject({ message: IMAGE });
  for (const id of [runId, other]) {
    expect(await runs.as("ada").get(id)).toMatchObject({ runStatus: "failed" });
  }
});
