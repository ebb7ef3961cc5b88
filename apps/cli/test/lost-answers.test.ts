import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { call } from "../../server/test/client.ts";
import { ADA, startServer } from "../../server/test/start-server.ts";
import { readRuns } from "./recorded-run.ts";
import { runCli, startCli } from "./start-cli.ts";

/** Answers of a proxy in the server's place. */
interface Stray {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** The fate of a request: its answer passes or is lost, the request is cut, or another answer replaces its own. */
type Fate = "passed" | "lost" | "cut" | Stray;

const page = (status: number): Stray => ({ status, type: "text/html", body: "<p>Back soon.</p>" });

/**
 * A proxy that loses answers, or answers in the server's place.
 * @returns its URL
 */
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
        else response.writeHead(fate.status, { "content-type": fate.type }).end(fate.body);
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

it("W36: exec cancels its run if the answers to its creation are lost", async () => {
  const { url } = await startServer();
  let cancels = 0;
  const way = await startWay(url, (_method, path) => {
    if (path.endsWith("/agent-runs")) return "lost";
    return path.endsWith("/cancel") && cancels++ === 0 ? "cut" : "passed";
  });
  const { exitCode, stderr } = await runCli(way, ["exec", "--", "true"]);
  expect(cancels).toBeGreaterThan(1);
  expect(exitCode, stderr).toBe(125);
  expect(stderr).toContain("was not started");
  expect(await readRuns(url)).toMatchObject([{ runStatus: "cancelled" }]);
});

it.each<readonly [string, Fate]>([
  ["cut", "lost"],
  ["a 502 of a proxy", page(502)],
])(
  "W36: exec finds the lease of a creation whose answer was %s, under its key",
  async (_, fate) => {
    const { url } = await startServer();
    let creations = 0;
    const way = await startWay(url, (method, path) =>
      method === "POST" && path.endsWith("/agent-runs") && creations++ < 2 ? fate : "passed",
    );
    const { exitCode, stderr } = await runCli(way, ["exec", "--", "true"]);
    expect(exitCode, stderr).toBe(0);
    expect(creations).toBe(3);
    expect(await readRuns(url)).toMatchObject([{ runStatus: "completed" }]);
  },
);

it("a tail that has read its run continues, however often a proxy answers in the server's place", async () => {
  const { url } = await startServer();
  await call(`${url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
  await call(`${url}/v1/agent-runs/r/events`, ADA, "POST", { events: [{ eventType: "ONE" }] });
  let reads = 0;
  const way = await startWay(url, () => ((reads += 1) > 1 && reads < 6 ? page(404) : "passed"));
  const tail = startCli(way, ["tail", "r"]);
  await tail.printed("ONE");
  await call(`${url}/v1/agent-runs/r/events`, ADA, "POST", {
    events: [{ eventType: "TWO" }, { eventType: "RUN_COMPLETED" }],
  });
  const { exitCode, stdout, stderr } = await tail.ended;
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain(
    "answered 404 text/html, not as a run-events server does: is the path passed on to the server: trying again",
  );
  expect(stdout.split("\n").map((line) => line.split(" ")[2])).toEqual([
    "ONE",
    "TWO",
    "RUN_COMPLETED",
    undefined,
  ]);
});
