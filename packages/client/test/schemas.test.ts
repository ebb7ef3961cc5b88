import { followRun, type PayloadSchema, startRun } from "@tm/run-events-client";
import { type } from "arktype";
import * as v from "valibot";
import { expect, it } from "vitest";
import { z } from "zod";
import { post, readLog } from "./api.ts";
import { collect } from "./collect.ts";
import { json, startScriptedServer } from "./scripted-server.ts";
import { useServer } from "./use-server.ts";

const server = useServer();

const CREDENTIAL = { bearer: "ada" } as const;

interface Words {
  readonly words: number;
}

// Each schema drops unknown members.
const SCHEMAS: Readonly<Record<string, PayloadSchema<Words>>> = {
  zod: z.object({ words: z.number() }),
  valibot: v.object({ words: v.number() }),
  arktype: type({ words: "number", "+": "delete" }),
};

it.each(Object.entries(SCHEMAS))(
  "%s: a reader gets payloads as the schema returns them",
  async (_, schema) => {
    const { runId } = (await post(server.port, "", {})) as { readonly runId: string };
    const events = [
      { eventType: "WRITTEN", payload: { words: 3, secret: true } },
      { eventType: "OTHER", payload: "as it is" },
      { eventType: "WRITTEN", payload: { words: "three" } },
    ];
    await post(server.port, `/${runId}/events`, { events });
    const follower = followRun<{ WRITTEN: Words; OTHER: string }>({
      baseUrl: server.baseUrl,
      runId,
      credential: CREDENTIAL,
      schemas: { WRITTEN: schema },
    });
    const seen: unknown[] = [];
    const following = (async () => {
      for await (const { payload } of follower) seen.push(payload);
    })();
    await expect(following).rejects.toMatchObject({ code: "invalid_event" });
    expect(seen).toEqual([{ words: 3 }, "as it is"]);
    expect(follower).toMatchObject({ state: "failed", cursor: 2 });
  },
);

it.each(Object.entries(SCHEMAS))(
  "%s: a writer sends payloads as the schema returns them",
  async (_, schema) => {
    const run = await startRun<{ WRITTEN: Words }>({
      baseUrl: server.baseUrl,
      credential: CREDENTIAL,
      schemas: { WRITTEN: schema },
    });
    const words: Words & { readonly secret: boolean } = { words: 3, secret: true };
    await run.append([{ eventType: "WRITTEN", payload: words }]);
    // A payload of the wrong shape, as plain JavaScript would pass it.
    const wrong = { words: "three" } as unknown as Words;
    await expect(run.append([{ eventType: "WRITTEN", payload: wrong }])).rejects.toMatchObject({
      code: "invalid_event",
    });
    await expect(run.emit("WRITTEN", wrong)).rejects.toMatchObject({ code: "invalid_event" });
    await run.complete();
    expect(await readLog(server.port, run.runId)).toEqual([
      ["RUN_STARTED", null],
      ["WRITTEN", { words: 3 }],
      ["RUN_COMPLETED", null],
    ]);
  },
);

it("an event type with the name of a member that all objects inherit has no schema", async () => {
  const types = ["constructor", "toString", "__proto__", "hasOwnProperty"];
  const schemas: Readonly<Record<string, PayloadSchema>> = { WRITTEN: z.string() };
  const run = await startRun({ baseUrl: server.baseUrl, credential: CREDENTIAL, schemas });
  for (const eventType of types)
    await expect(run.append([{ eventType }])).rejects.toMatchObject({ code: "invalid_event" });

  const { baseUrl } = await startScriptedServer((response) => {
    const events = types.map((eventType, index) => ({ sequence: index + 1, eventType }));
    const lastSequence = events.length;
    json(response, 200, { events, runStatus: "completed", lastSequence, hasMore: false });
  });
  const follower = followRun({ baseUrl, runId: "a", credential: CREDENTIAL, schemas });
  expect(await collect(follower)).toEqual([1, 2, 3, 4]);
});

it("a schema that answers later keeps the order", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const schema: PayloadSchema<number> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: async (value) => {
        if (value === 1) await promise;
        return { value: Number(value) };
      },
    },
  };
  const run = await startRun<{ N: number; M: number }>({
    baseUrl: server.baseUrl,
    credential: CREDENTIAL,
    schemas: { N: schema },
  });
  const first = run.emit("N", 1);
  const second = run.append([{ eventType: "M", payload: 2 }]);
  const ended = run.complete();
  resolve();
  await Promise.all([first, second, ended]);
  const log = await readLog(server.port, run.runId);
  expect(log.map(([eventType]) => eventType)).toEqual(["RUN_STARTED", "N", "M", "RUN_COMPLETED"]);
  expect(
    await collect(followRun({ baseUrl: server.baseUrl, runId: run.runId, credential: CREDENTIAL })),
  ).toEqual([1, 2, 3, 4]);
});
