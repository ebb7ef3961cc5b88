import { startRun } from "@tm/run-events-client";
import { expect, it } from "vitest";
import { aborted } from "../failure-of.ts";
import { onFastClock } from "../on-fast-clock.ts";
import { json, startScriptedServer } from "../scripted-server.ts";

const CREDENTIAL = { bearer: "b" } as const;

it.each([{}, null, [], "ok", { status: "up" }])(
  "W3: a proxy's answer that is not a receipt acknowledges nothing: %j",
  async (answer) => {
    const { baseUrl, requests } = await startScriptedServer((response, index) => {
      json(
        response,
        200,
        index % 2 === 0 ? answer : { firstSequence: 1, lastSequence: 1, runStatus: "running" },
      );
    });
    await onFastClock(async () => {
      const run = await startRun({ baseUrl, credential: CREDENTIAL });
      await run.append([{ eventType: "STEP" }]);
      await run.complete();
    });
    expect(requests).toHaveLength(6);
  },
);

it.each([200, 400, 401, 403, 404, 405, 502])(
  "W3: a proxy's HTML page with status %i ends no writer and no poll for the end",
  async (status) => {
    const { baseUrl, requests } = await startScriptedServer((response, index, { url = "" }) => {
      if (index % 2 === 0) response.writeHead(status, { "content-type": "text/html" }).end("<p>");
      else {
        const runStatus = url.includes("wait=") ? "cancelled" : "running";
        json(response, 200, { firstSequence: 1, lastSequence: 1, runStatus, events: [] });
      }
    });
    await onFastClock(async () => {
      const run = await startRun({ baseUrl, credential: CREDENTIAL });
      await run.append([{ eventType: "STEP" }]);
      await run.emit("TOKEN", 1);
      await run.flush();
      expect(requests).toHaveLength(6);
      await aborted(run.signal);
      expect(run.signal.reason).toMatchObject({ code: "run_finished" });
    });
  },
);

it("W3: a refusal of a proxy has the code of its status", async () => {
  const statuses = [413, 429];
  const codes: unknown[] = [];
  for (const status of statuses) {
    const { baseUrl } = await startScriptedServer((response, index) => {
      if (index < 2)
        json(response, 201, { firstSequence: index, lastSequence: index, runStatus: "running" });
      else response.writeHead(status, { "content-type": "text/html" }).end("<h1>no</h1>");
    });
    const run = await startRun({ baseUrl, credential: CREDENTIAL, patienceMs: 0 });
    const refused = run.append([{ eventType: "STEP" }]);
    codes.push(await refused.catch(({ code }: { readonly code: string }) => code));
  }
  expect(codes).toEqual(["payload_too_large", "too_many_requests"]);
});
