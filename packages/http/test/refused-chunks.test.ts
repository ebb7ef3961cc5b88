import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { ADA } from "./harness/accounts.ts";
import type { Call } from "./harness/answer.ts";
import { eventually } from "./harness/eventually.ts";
import { encodeHead, openSocket, type RawSocket } from "./harness/raw-socket.ts";
import { openWorld, type World } from "./harness/world.ts";

function headOf(method: string, path: string, headers: Call["headers"] = {}): string {
  return encodeHead(method, path, { ...ADA, ...headers });
}

function chunk(data: string): string {
  return `${data.length.toString(16)}\r\n${data}\r\n`;
}

/** Lets the server's event loop turn some times: each request needs several turns. */
async function turnServer(world: World): Promise<void> {
  for (let at = 0; at < 20; at++) await world.send({ path: "/openapi.json" });
}

/** `eventually` would let time pass. */
async function turnUntil(world: World, isSo: () => boolean): Promise<void> {
  while (!isSo()) await world.turn();
}

/** From now on a refusal waits until the test lets time pass. */
function holdRefusals(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
}

afterEach(() => {
  vi.useRealTimers();
});

async function open(world: World, text: string): Promise<RawSocket> {
  const socket = await openSocket(world.port, text);
  onTestFinished(() => void socket.socket.destroy());
  return socket;
}

describe("a body in chunks that outgrows the user's bytes", () => {
  const JSON_CHUNKS = { "content-type": "application/json", "transfer-encoding": "chunked" };

  it("W49: a body in chunks is not read further while its refusal waits, and its bytes no longer count", async () => {
    await using world = await openWorld("node:http", { maxBytesPerUser: 200_000 });
    const path = `/v1/agent-runs/${await world.record()}/events`;
    const first = headOf("POST", path, {
      "content-type": "application/json",
      "content-length": "150000",
    });
    await open(world, `${first}{`);
    await eventually(() => expect(world.stats().inFlight.bodyBytes).toBe(150_000));
    holdRefusals();
    const { socket, received, until } = await open(world, headOf("POST", path, JSON_CHUNKS));
    socket.write(chunk(" ".repeat(40_000)));
    await turnUntil(world, () => world.stats().inFlight.bodyBytes > 150_000);
    const before = world.read();
    for (let at = 0; at < 200; at++) socket.write(chunk(" ".repeat(65_536)));
    await turnUntil(world, () => world.stats().inFlight.bodyBytes === 150_000);
    await turnServer(world);
    expect(received()).toBe("");
    expect(world.read() - before).toBeLessThan(1_000_000);
    await vi.advanceTimersByTimeAsync(250);
    await until(" 429 ");
  });

  it("W49: a refused body in chunks that has arrived whole leaves the connection to the next request", async () => {
    await using world = await openWorld("node:http", { maxBytesPerUser: 200_000 });
    const path = `/v1/agent-runs/${await world.record()}/events`;
    const first = headOf("POST", path, {
      "content-type": "application/json",
      "content-length": "195000",
    });
    await open(world, `${first}{`);
    await eventually(() => expect(world.stats().inFlight.bodyBytes).toBe(195_000));
    holdRefusals();
    const { socket, until } = await open(world, headOf("POST", path, JSON_CHUNKS));
    for (const piece of [4_000, 4_000, 50_000]) {
      const before = world.read();
      socket.write(chunk(" ".repeat(piece)));
      await turnUntil(world, () => world.read() - before >= piece);
    }
    // Fills what node:http holds for an unread request, and ends the body: node:http reads no more from the socket.
    socket.write(`${chunk(" ".repeat(20_000))}0\r\n\r\n`);
    await turnServer(world);
    await vi.advanceTimersByTimeAsync(250);
    await until(" 429 ");
    socket.write(headOf("GET", path));
    await until(" 200 ");
  });
});
