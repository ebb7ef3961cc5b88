import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { followRun } from "@tm/run-events-client";
import { expect, it } from "vitest";
import { connected, event, startScriptedServer, stream } from "../scripted-server.ts";

it("leaving the loop closes the socket", async () => {
  const closed = Promise.withResolvers<void>();
  const { baseUrl } = await startScriptedServer((response) => {
    stream(response, connected(), event(1), event(2));
    response.on("close", closed.resolve);
  });
  for await (const _ of followRun({ baseUrl, runId: "a", credential: { cookie: "a=b" } })) break;
  await closed.promise;
});

it.each(["break", "throw", "abort"])(
  "a process that leaves its loop by %s ends by itself",
  async (how) => {
    const { baseUrl } = await startScriptedServer((response) => {
      stream(response, connected(), event(1), event(2));
    });
    const script = fileURLToPath(new URL("../leaving-process.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["-C", "@tm/source", script, baseUrl, how],
      { timeout: 50_000 },
    );
    expect(stdout).toBe("left\n");
  },
);
