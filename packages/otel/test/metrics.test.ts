import { readFile } from "node:fs/promises";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import type { Diagnostic } from "@tm/run-events-core/store";
import { createHandler } from "@tm/run-events-http";
import { expect, it } from "vitest";
import { createSdk } from "./sdk.ts";

type Type = Diagnostic["type"];

/** One diagnostic of each type. The compiler refuses an incomplete list. */
const EACH: { readonly [One in Type]: Extract<Diagnostic, { readonly type: One }> } = {
  append: {
    type: "append",
    runId: "r",
    events: 2,
    ms: 3,
    outcome: "appended",
    lastSequence: 2,
  },
  append_group: { type: "append_group", appends: 2, queued: 1, ms: 3 },
  resend: { type: "resend", call: "claim", sends: 2, ms: 50, outcome: "unknown" },
  work_begun: { type: "work_begun", runId: "r", ms: 2 },
  work_ended: { type: "work_ended", runId: "r", ms: 1_000, outcome: "completed" },
  lease_lost: { type: "lease_lost", runId: "r", reason: "fenced" },
  tail_opened: { type: "tail_opened", runId: "r" },
  tail_ended: { type: "tail_ended", runId: "r", ms: 9, events: 2, outcome: "finished" },
  notifications_up: { type: "notifications_up", downMs: 200 },
  notifications_down: { type: "notifications_down", reason: "lost" },
  notification_missed: { type: "notification_missed", foundBy: "reread", runs: 3 },
  reap: { type: "reap", runs: 1, ms: 4, outcome: "done" },
  purge: { type: "purge", runs: 5, ms: 4, outcome: "store_unavailable" },
  stream_opened: { type: "stream_opened" },
  stream_ended: { type: "stream_ended", reason: "run_finished" },
  stream_refused: { type: "stream_refused", reason: "overloaded" },
  upload_opened: { type: "upload_opened", runId: "r" },
  upload_ended: { type: "upload_ended", runId: "r", ms: 30, outcome: "disconnected" },
  refusal: { type: "refusal", method: "GET", route: null, status: 404, code: "not_found" },
};

it("each type of diagnostic is recorded, and the README lists all metrics with their units", async () => {
  const sdk = createSdk();
  for (const diagnostic of Object.values(EACH)) sdk.telemetry.onDiagnostic?.(diagnostic);
  const recorded = await sdk.metrics();
  const page = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, readme = ""] = page.split("\n## Metrics\n");
  const rows = [...readme.matchAll(/^\| `(run_events\.[\w.]+)` +\| ([^ ]+) /gm)];
  expect(Object.fromEntries(rows.map(([, name, unit]) => [name, unit]))).toStrictEqual(
    Object.fromEntries(recorded.map(({ descriptor: { name, unit } }) => [name, unit])),
  );
  // One type changes one to three metrics.
  for (const diagnostic of Object.values(EACH)) {
    const alone = createSdk();
    alone.telemetry.onDiagnostic?.(diagnostic);
    expect((await alone.metrics()).length, diagnostic.type).toBeGreaterThan(0);
  }
});

it("durations are in seconds, and active values rise and fall", async () => {
  const { telemetry, metrics, total } = createSdk();
  for (const one of [EACH.work_begun, EACH.work_begun, EACH.work_ended])
    telemetry.onDiagnostic?.(one);
  expect(await total("run_events.work.active")).toBe(1);
  const found = (await metrics()).find(({ descriptor }) => /work\.duration/.test(descriptor.name));
  expect(found?.dataPoints[0]).toMatchObject({
    attributes: { "run_events.outcome": "completed" },
    value: { count: 1, sum: 1 },
  });
});

it("a diagnostic of a type that only a newer core has is left out", async () => {
  const { telemetry, metrics } = createSdk();
  telemetry.onDiagnostic?.({ type: "eclipse" } as unknown as Diagnostic);
  expect(await metrics()).toStrictEqual([]);
});

it("runs, uploads, refusals and upkeep of a handler are counted, and no attribute names a run or an owner", async () => {
  const { telemetry, metrics, points, total } = createSdk();
  const runs = createRunEvents({ store: createMemoryStore(), telemetry });
  const ada = runs.as("ada-the-owner");
  const handler = createHandler({
    runs,
    authenticate: async () => ({ userId: "ada-the-owner", credential: "bearer" }),
  });
  const runIds = Array.from({ length: 20 }, (_, index) => `run-${index}`);
  const path = (runId: string): string => `http://localhost/v1/agent-runs/${runId}/events`;
  const headers = { "content-type": "application/x-ndjson" };
  for (const runId of runIds) {
    await ada.create({ runId });
    const body = '{"eventType":"A"}\n';
    await handler.fetch(new Request(path(runId), { method: "POST", headers, body }));
    await ada.work(runId, { leaseMs: 30_000 }, async (run) => run.emit("A"));
    for await (const _event of ada.tail(runId));
    await handler.fetch(new Request(path(`no-${runId}`)));
  }
  await runs.reap();
  await runs.purge({ finishedForMs: 0 });
  await runs.close();
  expect(await total("run_events.work.active")).toBe(0);
  expect(await total("run_events.upload.active")).toBe(0);
  expect(await points("run_events.purge.runs")).toStrictEqual([{ attributes: {}, value: 20 }]);
  expect(await points("run_events.http.refusals")).toStrictEqual([
    {
      attributes: {
        "http.request.method": "GET",
        "http.route": "/v1/agent-runs/{runId}/events",
        "http.response.status_code": 404,
        "error.type": "not_found",
      },
      value: 20,
    },
  ]);
  for (const { descriptor, dataPoints } of await metrics()) {
    expect(dataPoints.length, descriptor.name).toBeLessThan(4);
    expect(JSON.stringify(dataPoints.map(({ attributes }) => attributes))).not.toMatch(
      /run-\d|ada-the-owner/,
    );
  }
});
