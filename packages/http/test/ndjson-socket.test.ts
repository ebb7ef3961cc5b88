import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer, text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { encodeHead, openSocket } from "./harness/raw-socket.ts";
import { openWorld } from "./harness/world.ts";
import { eventually } from "./harness/eventually.ts";

const HEADERS = { ...ADA, "Content-Type": "application/x-ndjson" };
const NOTE = '{"eventType":"NOTE"}';

/** One piece of a chunked body. */
function chunk(data: string): string {
  return `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`;
}

it.for(["reset", "end"] as const)(
  "W12: a connection that breaks (%s) leaves the whole lines and no part of a line",
  async (how) => {
    await using world = await openWorld("node:http");
    const runId = await world.record();
    const path = `/v1/agent-runs/${runId}/events`;
    const head = encodeHead("POST", path, { ...HEADERS, "Transfer-Encoding": "chunked" });
    const tail = world.ada.tail(runId);
    using socket = await openSocket(world.port, head);
    socket.socket.write(chunk(`${NOTE}\n${NOTE}\n{"eventType":"HALF"}`));
    for await (const event of tail) if (event.sequence === 2) break;
    if (how === "reset") socket.socket.resetAndDestroy();
    else socket.socket.end();
    await socket.closed;
    // The next append comes after what the broken one has left.
    await eventually(async () => expect(await world.connections()).toBe(0));
    await world.ada.append(runId, [{ eventType: "LAST" }]);
    const { events } = await world.ada.read(runId);
    expect(events.map(({ eventType }) => eventType)).toEqual(["NOTE", "NOTE", "LAST"]);
    expect(await world.ada.get(runId)).toMatchObject({ runStatus: "running" });
    expect(world.reported).toEqual([]);
  },
);

it.for(["reset", "end"] as const)(
  "W12, W49: a connection that breaks (%s) while the store is slow leaves what the server had read, in whole lines and in order",
  async (how) => {
    await using world = await openWorld("node:http");
    const runId = await world.record();
    const path = `/v1/agent-runs/${runId}/events`;
    const head = encodeHead("POST", path, { ...HEADERS, "Transfer-Encoding": "chunked" });
    const release = world.store.hold("append");
    const lines = Array.from(
      { length: 1_200 },
      (_, at) => `{"eventType":"NOTE","payload":${at}}\n`,
    );
    using socket = await openSocket(
      world.port,
      head + chunk(`${lines.join("")}{"eventType":"HALF"}`),
    );
    await eventually(() => expect(world.store.held()).toBe(1));
    if (how === "reset") socket.socket.resetAndDestroy();
    else socket.socket.end();
    await eventually(async () => expect(await world.connections()).toBe(0));
    release();
    await eventually(() => expect(world.stats().inFlight.requests).toBe(0));
    const { events } = await world.ada.read(runId, { limit: 2_000 });
    // A first group has been read whole. The server may not have read what the system still held.
    expect(events.length).toBeGreaterThanOrEqual(500);
    expect(events.map(({ payload }) => payload)).toEqual(events.map((_, at) => at));
    expect(world.reported).toEqual([]);
  },
);

it("W12: a pipe into curl -T - records live, and its receipt comes at the end", async () => {
  await using world = await openWorld("node:http");
  const runId = await world.record();
  const url = `http://127.0.0.1:${world.port}/v1/agent-runs/${runId}/events`;
  const headers = Object.entries(HEADERS).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const curl = spawn("curl", ["-sS", "-X", "POST", ...headers, "-T", "-", url]);
  try {
    const output = text(curl.stdout);
    const types: string[] = [];
    curl.stdin.write(`${NOTE}\n`);
    for await (const { eventType } of world.ada.tail(runId)) {
      types.push(eventType);
      // Each line is sent only when the one before it has been read from the log.
      if (types.length < 5) curl.stdin.write(`${NOTE}\n`);
      else if (types.length === 5) curl.stdin.end('{"eventType":"RUN_COMPLETED","payload":"é"}');
    }
    expect(types).toEqual([...Array<string>(5).fill("NOTE"), "RUN_COMPLETED"]);
    expect(JSON.parse(await output)).toMatchObject({ firstSequence: 1, lastSequence: 6 });
  } finally {
    curl.kill();
  }
});

it("W12: curl gets the problem of a bad line while its pipe is still open", async () => {
  await using world = await openWorld("node:http");
  const runId = await world.record();
  const url = `http://127.0.0.1:${world.port}/v1/agent-runs/${runId}/events`;
  const headers = Object.entries(HEADERS).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  // With `-T -` curl waits for its pipe and sees nothing meanwhile; with `-T .` it looks at both.
  const curl = spawn("curl", [
    "-sS",
    "-X",
    "POST",
    "-w",
    "%{http_code}",
    ...headers,
    "-T",
    ".",
    url,
  ]);
  const exited = once(curl, "exit");
  try {
    const output = buffer(curl.stdout);
    curl.stdin.write(`${NOTE}\nno\n`);
    const problem = (await output).toString("utf8");
    expect(problem).toMatch(/"lastSequence":1,"line":2\}400$/);
  } finally {
    curl.stdin.destroy();
    curl.kill();
    await exited;
  }
});

it("W12: an upload to another user's run is refused before its first line", async () => {
  await using world = await openWorld("node:http");
  const path = `/v1/agent-runs/${await world.record()}/events`;
  const headers = { ...HEADERS, authorization: "Bearer bob", "Transfer-Encoding": "chunked" };
  using socket = await openSocket(world.port, encodeHead("POST", path, headers));
  expect(await socket.until("not_found")).toMatch(/^HTTP\/1\.1 404 /);
});
