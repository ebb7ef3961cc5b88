import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import type { RunEvents } from "@tm/run-events-core";
import type { Clock } from "@tm/run-events-core/wire";
import { expect, it, onTestFinished } from "vitest";
import { createNodeHandler, type NodeHandler } from "../src/node.ts";
import { eventually } from "./harness/eventually.ts";
import { openRuns, serve } from "./harness/host.ts";
import { createManualClock } from "./harness/manual-clock.ts";
import { encodeHead } from "./harness/raw-socket.ts";

interface Stage {
  readonly runs: RunEvents;
  readonly handler: NodeHandler;
  /** One for each request that has arrived, in order. */
  readonly responses: ServerResponse[];
  readonly server: { readonly sockets: Socket[] };
  /** A connection of a client that reads nothing until it is resumed. */
  connect(): Promise<Socket>;
}

async function openStage(clock?: Clock): Promise<Stage> {
  const runs = await openRuns(clock && { clock });
  const handler = createNodeHandler({
    runs,
    authenticate: ({ headers }) =>
      headers.authorization === undefined ? null : { userId: "ada", credential: "bearer" },
  });
  const responses: ServerResponse[] = [];
  const sockets: Socket[] = [];
  const { server, port } = await serve((request, response) => {
    responses.push(response);
    handler.handle(request, response);
  });
  server.on("connection", (socket: Socket) => sockets.push(socket));
  return {
    runs,
    handler,
    responses,
    server: { sockets },
    async connect() {
      const socket = connect(port, "127.0.0.1");
      socket.pause();
      socket.on("error", () => {});
      onTestFinished(() => void socket.destroy());
      await once(socket, "connect");
      return socket;
    },
  };
}

/** Reads until the text has come this often. */
async function readUntil(socket: Socket, part: string, count: number): Promise<string> {
  const chunks: Buffer[] = [];
  let seen = 0;
  let tail = "";
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    const text = tail + chunk.toString("latin1");
    seen += text.split(part).length - 1;
    tail = text.slice(text.length - part.length + 1);
    if (seen >= count) resolve();
  });
  socket.resume();
  await promise;
  return Buffer.concat(chunks).toString("utf8");
}

it("pipelined requests are answered in order", async () => {
  const stage = await openStage();
  const client = await stage.connect();
  const pairs = Array.from(
    { length: 1_000 },
    (_, at) => encodeHead("GET", "/openapi.json") + encodeHead("GET", `/v1/agent-runs/no/no/${at}`),
  );
  client.write(pairs.join(""));
  const text = await readUntil(client, "HTTP/1.1 ", 2_000);
  const answers = text.split("HTTP/1.1 ").slice(1);
  expect(answers.map((answer) => answer.slice(0, 3))).toEqual(pairs.flatMap(() => ["200", "404"]));
});

it("W49: requests behind one that waits are not read on without a bound, and are answered after it in order", async () => {
  const stage = await openStage();
  const { responses, runs } = stage;
  const client = await stage.connect();
  const ada = { authorization: "Bearer ada" };
  const count = 20_000;
  client.write(encodeHead("GET", "/v1/agent-runs/r/events?wait=30", ada));
  await eventually(() => expect(responses.length).toBe(1));
  const head = encodeHead("GET", "/v1/agent-runs/r");
  client.write(head.repeat(count));
  let last = 0;
  await eventually(async () => {
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
    const isStill = responses.length === last && last > 1;
    last = responses.length;
    expect(isStill).toBe(true);
  });
  // The requests that node:http reads at a time, and some more.
  expect(responses.length).toBeLessThan(2 * (65_536 / head.length) + 32);
  await runs.as("ada").append("r", [{ eventType: "NOTE" }]);
  const text = await readUntil(client, "HTTP/1.1 ", count + 1);
  const statuses = text
    .split("HTTP/1.1 ")
    .slice(1)
    .map((answer) => answer.slice(0, 3));
  expect(statuses[0]).toBe("200");
  expect(new Set(statuses.slice(1))).toEqual(new Set(["401"]));
});

it("W49: an answer that waits for those before it on its connection is not one that its client does not read", async () => {
  const clock = createManualClock();
  const { responses, runs, connect: open } = await openStage(clock);
  const client = await open();
  const ada = { authorization: "Bearer ada" };
  client.write(
    encodeHead("GET", "/v1/agent-runs/r/events?wait=30", ada) +
      encodeHead("GET", "/v1/agent-runs/r", ada),
  );
  await eventually(() => expect(responses[1]?.writableEnded).toBe(true));
  clock.advance(60_000);
  expect(responses.map(({ destroyed }) => destroyed)).toEqual([false, false]);
  await runs.as("ada").append("r", [{ eventType: "NOTE" }]);
  const text = await readUntil(client, "HTTP/1.1 200", 2);
  expect(text).toContain('"runId":"r"');
});

it("W49: pipelined requests of a client that has gone hold nothing of their user", async () => {
  const stage = await openStage();
  const { handler, responses, server } = stage;
  const client = await stage.connect();
  const ada = { authorization: "Bearer ada" };
  client.write(encodeHead("GET", "/v1/agent-runs/r/events?wait=30", ada).repeat(3));
  await eventually(() => expect(responses.length).toBe(3));
  await eventually(() => expect(handler.stats().inFlight.requests).toBeGreaterThan(0));
  client.destroy();
  await eventually(() => expect(server.sockets[0]?.destroyed).toBe(true));
  await eventually(() => expect(handler.stats().inFlight.requests).toBe(0));
});
