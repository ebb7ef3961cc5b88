import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { followRun } from "@tm/run-events-client";
import { expect, it, onTestFinished } from "vitest";

it("W22: follows a run to its end", async () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  const handler = createNodeHandler({ runs, authenticate: () => ({ userId: "ada", credential: "session" as const }) });
  const server = createServer((request, response) => handler.handle(request, response)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((r) => server.once("listening", r));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await runs.create({ runId: "run", ownerId: "ada" });
  await runs.append("run", [{ eventType: "RUN_STARTED" }, { eventType: "TOKEN", payload: 1 }]);
  const seen: number[] = [];
  const states: string[] = [];
  const f = followRun({ baseUrl, runId: "run", credential: { cookie: "session=ada" }, onStanding: (s) => states.push(s.state) });
  for await (const e of f) {
    seen.push(e.sequence);
    if (e.sequence === 2) await runs.append("run", [{ eventType: "RUN_COMPLETED" }]);
  }
  expect(seen).toEqual([1, 2, 3]);
  expect(f).toMatchObject({ state: "finished", runStatus: "completed", cursor: 3 });
  console.log(states);
});
