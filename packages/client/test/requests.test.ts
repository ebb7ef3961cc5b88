import { type Credential, followRun, startRun } from "@tm/run-events-client";
import { inspect } from "node:util";
import { expect, it } from "vitest";
import { collect } from "./collect.ts";
import { failureOf } from "./failure-of.ts";
import { json, startScriptedServer } from "./scripted-server.ts";

const NEVER = async (): Promise<string> => new Promise(() => {});

it.each<Credential>([{ bearer: NEVER }, { cookie: NEVER }])(
  "a signal ends the wait for a credential's function: %o",
  async (credential) => {
    const signal = AbortSignal.timeout(1);
    const options = { baseUrl: "http://127.0.0.1:1", credential, signal };
    const error = { name: "TimeoutError" };
    await expect(collect(followRun({ ...options, runId: "a" }))).rejects.toMatchObject(error);
    await expect(startRun(options)).rejects.toMatchObject(error);
  },
);

it.each(["s3cr\nt0ken", "s3cr\0t0ken", "s3crt0ken€"])(
  "a credential that no header can hold is a TypeError that does not show it: %j",
  async (bearer) => {
    const { baseUrl, requests } = await startScriptedServer((response) => json(response, 503, {}));
    for (const credential of [{ bearer }, { cookie: bearer }]) {
      const options = { baseUrl, credential };
      const works = [collect(followRun({ ...options, runId: "a" })), startRun(options)];
      for (const error of await Promise.all(works.map(failureOf))) {
        expect(error).toBeInstanceOf(TypeError);
        expect(inspect(error)).not.toMatch(/s3cr|t0ken/);
      }
    }
    expect(requests).toEqual([]);
  },
);

it("a key that no header can hold is a TypeError, and the writer continues", async () => {
  const { baseUrl } = await startScriptedServer((response) =>
    json(response, 201, { firstSequence: 1, lastSequence: 1, runStatus: "running" }),
  );
  const run = await startRun({ baseUrl, credential: { bearer: "b" } });
  const misuse = run.append([{ eventType: "STEP" }], { idempotencyKey: "a\nb" });
  await expect(misuse).rejects.toThrow(TypeError);
  await run.append([{ eventType: "STEP" }]);
});
