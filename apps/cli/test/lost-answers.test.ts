import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
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

/** Answers while a server is replaced, by its proxy or by another program at its address. */
const STRAYS: readonly Stray[] = [
  page(404),
  page(401),
  { status: 200, type: "application/json", body: "{}" },
];

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

/**
 * A proxy that gives another answer to the first request of each kind.
 * @returns its URL, and the requested kinds
 */
async function startStrayWay(
  serverUrl: string,
  stray: Stray,
): Promise<{ readonly way: string; readonly asked: ReadonlySet<string> }> {
  const asked = new Set<string>();
  const way = await startWay(serverUrl, (method, path) => {
    const kind = `${method} ${path.replace(/\?.*/, "").replace(/[^/]*-[^/]*-[^/]*/, "ID")}`;
    if (asked.has(kind)) return "passed";
    asked.add(kind);
    return stray;
  });
  return { way, asked };
}

describe.each(STRAYS)("an answer $status of a proxy, $type $body,", (stray) => {
  it("S21: costs exec no lease and no event", async () => {
    const { url } = await startServer();
    const { way, asked } = await startStrayWay(url, stray);
    const args = ["exec", "--lease", "1", "--", "sh", "-c", "echo one; sleep 1"];
    const { exitCode, stderr } = await runCli(way, args);
    expect(exitCode, stderr).toBe(0);
    const [run] = await readRuns(url);
    expect(run).toMatchObject({ runStatus: "completed", lastSequence: 3 });
    expect([...asked].map((kind) => kind.replace("agent-runs/ID", "RUN"))).toEqual(
      expect.arrayContaining(["POST /v1/agent-runs", "PUT /v1/RUN/claim", "POST /v1/RUN/events"]),
    );
  });

  it("does not hide a cancel from exec", async () => {
    const { url } = await startServer();
    const { way, asked } = await startStrayWay(url, stray);
    const cli = startCli(way, ["exec", "--", "sh", "-c", "echo up; exec sleep 600"]);
    await cli.printed("up");
    await expect.poll(() => [...asked].join(), { timeout: 30_000 }).toMatch(/GET \S*\/events/);
    await runCli(url, ["cancel", (await readRuns(url))[0]?.runId ?? ""]);
    expect((await cli.ended).exitCode).toBe(124);
  });

  it("ends no tail, list or cancel", async () => {
    const { url } = await startServer();
    await call(`${url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
    expect(await runCli((await startStrayWay(url, stray)).way, ["cancel", "r"])).toMatchObject({
      exitCode: 0,
      stdout: "run r cancelled\n",
    });
    const tailed = await runCli((await startStrayWay(url, stray)).way, ["tail", "r"]);
    expect(tailed).toMatchObject({ exitCode: 3, stdout: expect.stringContaining("RUN_CANCELLED") });
    const listed = await runCli((await startStrayWay(url, stray)).way, ["list"]);
    expect(listed).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^r\tcancelled/) });
  });
});

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
