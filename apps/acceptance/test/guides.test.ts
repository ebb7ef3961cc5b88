import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { makeTempFolder } from "../../server/test/start-server.ts";
import { readSnippet } from "../src/snippets.ts";
import { call } from "./api.ts";
import { startServer, TOKEN } from "./server-process.ts";

const SERVER_GUIDE = new URL("../../../docs/guides/server.md", import.meta.url);

it("the guide of the server: its curl commands append to a run, poll it and stream it", async () => {
  const { url } = await startServer({ storeUrl: "memory:" });
  const cwd = await makeTempFolder();
  const env = { ...process.env, RUN_EVENTS_TOKEN: TOKEN, RUN_EVENTS_URL: url };
  const shell = async (script: string): Promise<string> =>
    (await promisify(execFile)("sh", ["-ec", script], { cwd, env })).stdout;
  expect(await shell(readSnippet(SERVER_GUIDE, "curl.sh"))).toMatch(
    /"events":\[\{"sequence":1,"eventType":"STEP","payload":1,/,
  );
  await call(url, "POST", "/v1/agent-runs/hello/events", {
    events: [{ eventType: "RUN_COMPLETED" }],
  });
  const names = `TOKEN=${TOKEN}\nBASE=${url}\n`;
  expect(await shell(names + readSnippet(SERVER_GUIDE, "stream.sh"))).toContain("run_finished");
});
