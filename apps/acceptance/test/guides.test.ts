import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { createNodeHandler } from "@tm/run-events-http/node";
import { EventSource } from "eventsource";
import { expect, it, onTestFinished } from "vitest";
import { makeTempFolder } from "../../server/test/start-server.ts";
import { readSnippet } from "../src/snippets.ts";
import { call } from "./api.ts";
import { startServer, TOKEN } from "./server-process.ts";

const root = new URL("../../../", import.meta.url);
const PAGE_GUIDE = new URL("docs/guides/page.md", root);
const SERVER_GUIDE = new URL("docs/guides/server.md", root);

it("W22: page.js of the guide shows each event of a run, and closes after its end", async () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  const authenticate = () => ({ userId: "ada", credential: "session" }) as const;
  const handler = createNodeHandler({ runs, authenticate });
  const server = createServer((request, response) => handler.handle(request, response));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await runs.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const { runId } = await runs.create({ ownerId: "ada" });
  await runs.append(runId, [{ eventType: "STEP" }]);

  const shown: string[] = [];
  const source = Promise.withResolvers<EventSource>();
  class PageSource extends EventSource {
    constructor(path: string) {
      super(new URL(path, `http://127.0.0.1:${port}`));
      source.resolve(this);
    }
  }
  runInNewContext(readSnippet(PAGE_GUIDE, "page.js"), {
    runId,
    EventSource: PageSource,
    show: ({ eventType }: { readonly eventType: string }) => shown.push(eventType),
  });
  const opened = await source.promise;
  await expect.poll(() => shown).toEqual(["STEP"]);
  await runs.append(runId, [{ eventType: "RUN_COMPLETED" }]);
  await expect.poll(() => opened.readyState).toBe(EventSource.CLOSED);
  expect(shown).toEqual(["STEP", "RUN_COMPLETED"]);
});

it("the guide of a page shows the client's own snippet", () => {
  const ofClient = readSnippet(new URL("packages/client/README.md", root), "page.js");
  expect(readSnippet(PAGE_GUIDE, "client-page.js")).toBe(ofClient);
});

it("the guide of the server: its curl commands append to a run, poll it and stream it", async () => {
  const { url } = await startServer({ storeUrl: "memory:" });
  const cwd = await makeTempFolder();
  const shell = async (script: string): Promise<string> =>
    (await promisify(execFile)("sh", ["-ec", script], { cwd })).stdout;
  const curl = readSnippet(SERVER_GUIDE, "curl.sh")
    .replace("TOKEN=...", `TOKEN=${TOKEN}`)
    .replace("http://127.0.0.1:8080", url);
  expect(await shell(curl)).toMatch(/"events":\[\{"sequence":1,"eventType":"STEP","payload":1,/);
  await call(url, "POST", "/v1/agent-runs/hello/events", {
    events: [{ eventType: "RUN_COMPLETED" }],
  });
  const names = `TOKEN=${TOKEN}\nBASE=${url}\n`;
  expect(await shell(names + readSnippet(SERVER_GUIDE, "stream.sh"))).toContain("run_finished");
});
