import { startRun } from "@tm/run-events-client";
import { workRun } from "@tm/run-events-client/work";
import { JsonText } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { z } from "zod";
import { createRun } from "../api.ts";
import { useServer } from "../use-server.ts";

const server = useServer();

const CREDENTIAL = { bearer: "ada" } as const;
/** JSON text that JSON.stringify never writes. */
const ODD = '{"b":1e2,"a":1.0,"c":12345678901234567890,"a":"\\u00e9"}';

/** The server's answer, as text. */
async function readText(path: string): Promise<string> {
  const url = `${server.baseUrl}/v1/agent-runs/${path}`;
  return (await fetch(url, { headers: { authorization: "Bearer ada" } })).text();
}

/** The payloads of a run's log, as text. */
async function payloadsOf(runId: string): Promise<readonly string[]> {
  const text = await readText(`${runId}/events`);
  return text
    .split('"payload":')
    .slice(1)
    .map((rest) => rest.split(',"createdAt"')[0] ?? "");
}

it("W1: startRun sends a JsonText unchanged: appended, emitted, at the end and as metadata", async () => {
  const odd = JsonText.parse(ODD);
  const run = await startRun({ baseUrl: server.baseUrl, credential: CREDENTIAL, metadata: odd });
  await run.append([{ eventType: "STEP", payload: odd }, { eventType: "STEP" }]);
  void run.emit("TOKEN", odd);
  await run.complete(odd);
  expect(await payloadsOf(run.runId)).toEqual(["null", ODD, "null", ODD, ODD]);
  expect(await readText(run.runId)).toContain(`"metadata":${ODD}`);
});

it("W1: workRun sends a JsonText unchanged", async () => {
  const odd = JsonText.parse(ODD);
  const runId = await createRun(server.port);
  await workRun(
    { baseUrl: server.baseUrl, runId, leaseMs: 60_000, credential: CREDENTIAL },
    async (run) => {
      await run.append([{ eventType: "STEP", payload: odd }]);
      await run.emit("TOKEN", odd);
      return odd;
    },
  );
  expect(await payloadsOf(runId)).toEqual([ODD, ODD, ODD]);
});

it("W1: every value is sent as JSON.stringify writes it, and its JsonText as the same", async () => {
  const run = await startRun({ baseUrl: server.baseUrl, credential: CREDENTIAL });
  const sent: string[] = ["null"];
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (payload) => {
      const json = JSON.stringify(payload);
      sent.push(json, json);
      await run.append([
        { eventType: "STEP", payload },
        { eventType: "STEP", payload: JsonText.parse(json) },
      ]);
    }),
    { numRuns: 40 },
  );
  expect(await payloadsOf(run.runId)).toEqual(sent);
  run.close();
});

it("a schema checks the value that a JsonText holds", async () => {
  const schemas = { STEP: z.object({ words: z.number() }) };
  const run = await startRun<{ STEP: unknown }>({
    baseUrl: server.baseUrl,
    credential: CREDENTIAL,
    schemas,
  });
  const step = (text: string): Promise<unknown> =>
    run.append([{ eventType: "STEP", payload: JsonText.parse(text) }]);
  await step('{"words":1}');
  await expect(step('{"words":"one"}')).rejects.toMatchObject({ code: "invalid_event" });
  expect(await payloadsOf(run.runId)).toEqual(["null", '{"words":1}']);
  run.close();
});

it("a value without JSON is refused as `invalid_event` before anything is sent", async () => {
  const circle: unknown[] = [];
  circle.push(circle);
  const run = await startRun({ baseUrl: server.baseUrl, credential: CREDENTIAL });
  for (const payload of [1n, circle, () => {}, Symbol("x")]) {
    const refused = { code: "invalid_event" };
    await expect(run.append([{ eventType: "STEP", payload }])).rejects.toMatchObject(refused);
    await expect(run.emit("STEP", payload)).rejects.toMatchObject(refused);
    const started = startRun({
      baseUrl: server.baseUrl,
      credential: CREDENTIAL,
      metadata: payload,
    });
    await expect(started).rejects.toMatchObject(refused);
  }
  expect(await payloadsOf(run.runId)).toEqual(["null"]);
  run.close();
});
