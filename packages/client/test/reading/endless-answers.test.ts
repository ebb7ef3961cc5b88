import type { ServerResponse } from "node:http";
import { followRun } from "@tm/run-events-client";
import { createClient } from "@tm/run-events-client/runs";
import { describe, expect, it } from "vitest";
import { collect } from "../collect.ts";
import { connected, json, page, startScriptedServer, stream } from "../scripted-server.ts";

const KIB_64 = "x".repeat(65_536);
const credential = { cookie: "session=ada" } as const;

/** Writes for as long as the client reads, 1 GiB at most. Resolves with how many bytes were written, once the client has gone. */
async function pour(response: ServerResponse): Promise<number> {
  const gone = new Promise<void>((resolve) => response.on("close", resolve));
  let bytes = 0;
  for (; !response.destroyed && bytes < 2 ** 30; bytes += KIB_64.length) {
    if (response.write(KIB_64)) await new Promise(setImmediate);
    else await Promise.race([gone, new Promise((resolve) => response.once("drain", resolve))]);
  }
  response.end();
  await gone;
  return bytes;
}

describe("an answer without an end", () => {
  it("a refusal is read up to 64 KiB, and is not the server's own", async () => {
    const poured = Promise.withResolvers<number>();
    const { baseUrl } = await startScriptedServer((response) => {
      response.writeHead(500, { "content-type": "application/problem+json" });
      response.write('{"code":"internal","detail":"');
      void pour(response).then(poured.resolve);
    });
    const runs = createClient({ baseUrl, credential, patienceMs: 0 });
    await expect(runs.get("a")).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("answered 500"),
    });
    // What the sockets of this machine hold.
    expect(await poured.promise).toBeLessThan(16 * 2 ** 20);
  });

  it("a long problem of the server is shown as it is", async () => {
    const detail = "Too much. ".repeat(6_000);
    const { baseUrl } = await startScriptedServer((response) =>
      json(response, 422, { code: "invalid_event", detail }),
    );
    const runs = createClient({ baseUrl, credential });
    await expect(runs.get("a")).rejects.toMatchObject({ code: "invalid_event", message: detail });
  });

  it("a page is read up to 16 MiB", async () => {
    const poured = Promise.withResolvers<number>();
    const { baseUrl } = await startScriptedServer((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      void pour(response).then(poured.resolve);
    });
    const runs = createClient({ baseUrl, credential, patienceMs: 0 });
    await expect(runs.events("a")).rejects.toMatchObject({
      code: "store_unavailable",
      retryable: true,
      message: expect.stringContaining("16777216 bytes at most"),
    });
    expect(await poured.promise).toBeLessThan(48 * 2 ** 20);
  });

  it("W22: a message of the stream is read up to 16 Mi characters, and then the run is polled", async () => {
    const poured = Promise.withResolvers<number>();
    const { baseUrl, requests } = await startScriptedServer((response, index) => {
      if (index > 0) return page(response, [1, 2], "completed");
      stream(response, connected()).write("data: ");
      void pour(response).then(poured.resolve);
    });
    const errors: (string | undefined)[] = [];
    const follower = followRun({
      runId: "a",
      baseUrl,
      credential,
      mostDelayMs: 5,
      onConnectionState: ({ error }) => errors.push(error?.message),
    });
    expect(await collect(follower)).toEqual([1, 2]);
    expect(errors.join("\n")).toContain("16777216 characters at most");
    expect(await poured.promise).toBeLessThan(48 * 2 ** 20);
    expect(requests).toEqual(["a/stream?since=0", "a/events?since=0&wait=25"]);
  });

  it("W22: a payload of 8 MiB arrives, over the stream and in a page", async () => {
    const payload = "y".repeat(8 * 2 ** 20);
    const one = { sequence: 1, eventType: "TOKEN", payload };
    const end = { runStatus: "completed", currentPhase: null, lastSequence: 1 };
    const { baseUrl } = await startScriptedServer((response, _, { url }) => {
      const { pathname } = new URL(url ?? "", "http://a");
      if (pathname.endsWith("/events")) {
        json(response, 200, { ...end, events: [one], hasMore: false });
      } else {
        const frames = [
          { type: "run_event", event: one },
          { type: "run_finished", ...end },
        ];
        stream(response, connected(), ...frames.map((data) => `data: ${JSON.stringify(data)}\n\n`));
      }
    });
    for (const how of [credential, { bearer: "ada" }] as const) {
      for await (const event of followRun({ runId: "a", baseUrl, credential: how })) {
        expect(event.payload).toBe(payload);
      }
    }
  });
});
