import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { startServer } from "../../server/test/start-server.ts";
import { readRuns } from "./recorded-run.ts";
import { runCli } from "./start-cli.ts";

/** A way to the server that loses the answer to the first claim. @returns its URL */
async function loseFirstClaim(serverUrl: string): Promise<string> {
  let isLost = false;
  const proxy = createServer((incoming: IncomingMessage, response: ServerResponse) => {
    const { method, headers, url = "/" } = incoming;
    const onward = request(new URL(url, serverUrl), { method, headers }, (answer) => {
      if (url.endsWith("/claim") && !isLost) {
        isLost = true;
        answer.resume();
        response.destroy();
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    incoming.pipe(onward);
  });
  proxy.listen(0, "127.0.0.1");
  await new Promise((resolve) => proxy.once("listening", resolve));
  onTestFinished(() => void proxy.close());
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

it("W31: exec that does not learn its fence leaves no run behind that waits for nobody", async () => {
  const { url } = await startServer();
  const { exitCode, stderr } = await runCli(await loseFirstClaim(url), ["exec", "--", "true"]);
  expect(exitCode, stderr).toBe(125);
  expect(stderr).toContain("was not started");
  expect(await readRuns(url)).toMatchObject([{ runStatus: "cancelled" }]);
});
