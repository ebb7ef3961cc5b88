import { once } from "node:events";
import { connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { createHandler } from "../src/index.ts";
import { createNodeHandler } from "../src/node.ts";
import { openRuns, serve } from "./harness/host.ts";

const authenticate = () => ({ userId: "ada", credential: "session" as const });

it("W22: a reader that changes a heartbeat's bytes does not change another's", async () => {
  const runs = await openRuns();
  const handler = createHandler({ runs, heartbeatMs: 40, authenticate });
  async function open(): Promise<ReadableStreamDefaultReader<Uint8Array>> {
    const request = new Request("http://localhost/v1/agent-runs/r/stream");
    const { body } = await handler.fetch(request);
    if (body === null) throw new Error("Expected a body.");
    const reader = body.getReader();
    onTestFinished(() => reader.cancel());
    // `connected`
    await reader.read();
    return reader;
  }
  const [one, other] = [await open(), await open()];
  const { value: beat } = await one.read();
  structuredClone(beat, { transfer: beat === undefined ? [] : [beat.buffer] });
  for (let beats = 0; beats < 4; beats++) {
    const { value } = await other.read();
    expect(new TextDecoder().decode(value)).toContain('"type":"status"');
  }
});

it("a header that the host has set goes out unchanged, with a body in other characters", async () => {
  const runs = await openRuns();
  const handler = createNodeHandler({ runs, authenticate });
  const { port } = await serve((request, response) => {
    response.setHeader("x-user", "\u00e9");
    handler.handle(request, response);
  });
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write("GET /v1/agent-runs/r HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString("latin1")).toMatch(/\r\nx-user: \u00e9\r\n/);
});
