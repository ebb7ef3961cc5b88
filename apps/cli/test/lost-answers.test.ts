import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { startServer } from "../../server/test/start-server.ts";
import { readRuns } from "./recorded-run.ts";
import { runCli } from "./start-cli.ts";

/** What becomes of a request on the way: its answer passes or is lost, it is cut before, or a page is answered instead. */
type Fate = "passed" | "lost" | "cut" | 200 | 404;

/** A way to the server that answers are lost on, or that answers in the server's place. @returns its URL */
async function startWay(
  serverUrl: string,
  fateOf: (method: string, path: string) => Fate,
): Promise<string> {
  const proxy = createServer((incoming: IncomingMessage, response: ServerResponse) => {
    const { method = "GET", headers, url = "/" } = incoming;
    const fate = fateOf(method, url);
    if (fate === "cut") {
      response.destroy();
      return;
    }
    const onward = request(new URL(url, serverUrl), { method, headers }, (answer) => {
      if (fate !== "passed") {
        answer.resume();
        if (fate === "lost") response.destroy();
        else response.writeHead(fate, { "content-type": "text/html" }).end("<p>Back soon.</p>");
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
  const fates = new Map<string, Fate>([
    ["claim", "lost"],
    ["cancel", "cut"],
  ]);
  const way = await startWay(url, (_method, path) => {
    const last = path.slice(path.lastIndexOf("/") + 1);
    const fate = fates.get(last) ?? "passed";
    fates.delete(last);
    return fate;
  });
  const { exitCode, stderr } = await runCli(way, ["exec", "--", "true"]);
  expect(fates.size).toBe(0);
  expect(exitCode, stderr).toBe(125);
  expect(stderr).toContain("was not started");
  expect(await readRuns(url)).toMatchObject([{ runStatus: "cancelled" }]);
});

it.each([200, 404] as const)(
  "S21: a page with %i that somebody else answers loses no lease and no event",
  async (page) => {
    const { url } = await startServer();
    let renewals = 0;
    let appends = 0;
    const way = await startWay(url, (method, path) => {
      const isFirst =
        method === "PUT" ? renewals++ === 0 : path.endsWith("/events") && appends++ === 0;
      return isFirst ? page : "passed";
    });
    const args = ["exec", "--lease", "1", "--", "sleep", "1"];
    const { exitCode, stderr } = await runCli(way, args);
    expect(renewals).toBeGreaterThan(1);
    expect(exitCode, stderr).toBe(0);
    expect(await readRuns(url)).toMatchObject([{ runStatus: "completed" }]);
  },
);
