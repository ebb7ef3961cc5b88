import { describe, expect, it, vi } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { post } from "./harness/answer.ts";
import { encodeHead, openSocket } from "./harness/raw-socket.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const EVENT = '{"eventType":"NOTE"}';
const BODY = `{"events":[${EVENT}]}`;
const bytes = new TextEncoder();

async function expectNothing(world: World, runId: string): Promise<void> {
  expect(await world.ada.get(runId)).toMatchObject({ lastSequence: 0, runStatus: "queued" });
}

describe.each(DOORS)("%s", (door) => {
  it.for([
    ["a byte order mark", `\ufeff${BODY}`, 400],
    ["a comment", `${BODY}//`, 400],
    ["a field twice", `{"events":[${EVENT}],"events":[${EVENT}]}`, 400],
    ["a field twice, once escaped", `{"events":[${EVENT}],"\\u0065vents":[${EVENT}]}`, 400],
    ["a type twice", '{"events":[{"eventType":"NOTE","eventType":"NOTE"}]}', 422],
    ["a payload twice", '{"events":[{"eventType":"NOTE","payload":1,"payload":1}]}', 422],
    ["a line break after a type", '{"events":[{"eventType":"NOTE\\n"}]}', 422],
  ] as const)("W9: a body with %s appends nothing", async ([, body, status]) => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const answer = await world.send(post(`/v1/agent-runs/${runId}/events`, body));
    expect(answer.status).toBe(status);
    await expectNothing(world, runId);
  });

  it("W9: the limits of a body, a batch and a payload can be set", async () => {
    const limits = { maxBatchEvents: 2, maxPayloadBytes: 4, maxBodyBytes: 100 };
    await using world = await openWorld(door, limits);
    const path = `/v1/agent-runs/${await world.record()}/events`;
    const bodies: readonly (readonly [string, number])[] = [
      [`{"events":[${EVENT},${EVENT}]}`, 201],
      [`{"events":[${EVENT},${EVENT},${EVENT}]}`, 400],
      ['{"events":[{"eventType":"A","payload":"bc"}]}', 201],
      ['{"events":[{"eventType":"A","payload":10000}]}', 413],
      [BODY.padEnd(100), 201],
      [BODY.padEnd(101), 413],
    ];
    for (const [body, status] of bodies) {
      expect([body, (await world.send(post(path, body))).status]).toEqual([body, status]);
    }
  });

  it("W9: a body without a content type is 400, one with parameters and capitals is accepted", async () => {
    await using world = await openWorld(door);
    const path = `/v1/agent-runs/${await world.record()}/events`;
    const untyped = { method: "POST", path, headers: ADA, body: bytes.encode(BODY) };
    expect((await world.send(untyped)).status).toBe(400);
    const type = { "content-type": "Application/JSON; Charset=UTF-8" };
    expect((await world.send(post(path, BODY, type))).status).toBe(201);
  });

  it("W9: a body that is not UTF-8 is 400", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const call = post(`/v1/agent-runs/${runId}/events`, "");
    const around = (...middle: readonly number[]): Uint8Array =>
      Uint8Array.from([
        ...bytes.encode('{"events":[{"eventType":"NOTE","payload":"'),
        ...middle,
        ...bytes.encode('"}]}'),
      ]);
    for (const body of [around(0xff), around(0xc3), around(0xed, 0xa0, 0x80), around(0xc0, 0x80)]) {
      const answer = await world.send({ ...call, body });
      expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_request"]);
    }
    await expectNothing(world, runId);
  });
});

describe.each(DOORS)("%s", (door) => {
  it("W9: a compressed body is 400, of either type", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    for (const type of ["application/json", "application/x-ndjson"]) {
      const headers = { "content-type": type, "content-encoding": "gzip" };
      const answer = await world.send(post(`/v1/agent-runs/${runId}/events`, EVENT, headers));
      expect([type, answer.status, answer.json()["code"]]).toEqual([type, 400, "invalid_request"]);
    }
    await expectNothing(world, runId);
    const plain = { "content-encoding": "identity" };
    expect((await world.send(post(`/v1/agent-runs/${runId}/events`, BODY, plain))).status).toBe(
      201,
    );
  });
});

it("W9: a body that does not end is given up", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    await using world = await openWorld("Request to Response");
    const runId = await world.record();
    const { promise, resolve } = Promise.withResolvers<void>();
    async function* stalled(): AsyncGenerator<Uint8Array> {
      yield bytes.encode(BODY);
      await promise;
    }
    const answering = world.send({
      ...post(`/v1/agent-runs/${runId}/events`, ""),
      body: stalled(),
    });
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    await vi.advanceTimersByTimeAsync(30_000);
    const answer = await answering;
    resolve();
    expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_request"]);
    await expectNothing(world, runId);
  } finally {
    vi.useRealTimers();
  }
});

it("W9: the rest of a refused body does not cost the connection", async () => {
  await using world = await openWorld("node:http");
  const length = { "Content-Length": "6" };
  using socket = await openSocket(world.port, encodeHead("POST", "/v1/agent-runs", length));
  await socket.until("unauthenticated");
  socket.socket.write(`1234\r\n${encodeHead("GET", "/v1/agent-runs", ADA)}`);
  await socket.until('{"runs":[],"nextCursor":null}');
});

it.each([
  ["stated", { "Content-Length": String(63 * 0x1_0000) }, "x".repeat(0x1_0000), ""],
  [
    "in chunks",
    { "Transfer-Encoding": "chunked" },
    `10000\r\n${"x".repeat(0x1_0000)}\r\n`,
    "0\r\n\r\n",
  ],
])(
  "W49: a client that sends a refused body of 4 MiB whole, %s, before it reads gets its answer",
  async (_, length, piece, end) => {
    await using world = await openWorld("node:http", { maxBodyBytes: 100 });
    const path = `/v1/agent-runs/${await world.record()}/events`;
    const type = { ...ADA, "Content-Type": "application/json", ...length };
    using socket = await openSocket(world.port, encodeHead("POST", path, type));
    let hadError: boolean | null = null;
    socket.socket.once("close", (failed) => (hadError = failed));
    socket.socket.write(piece.repeat(63) + end);
    const head = await socket.until("payload_too_large");
    expect(head).toMatch(/^HTTP\/1\.1 413 [^]*\r\nconnection: close\r\n/i);
    await socket.closed;
    expect(hadError).toBe(false);
  },
);

it("W9: of the rest of a refused body that does not end four megabytes are read, and then its connection is closed", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    await using world = await openWorld("node:http");
    const chunked = { "Transfer-Encoding": "chunked" };
    using socket = await openSocket(world.port, encodeHead("POST", "/v1/agent-runs", chunked));
    await socket.until("unauthenticated");
    const { socket: sender } = socket;
    const send = (): void => {
      while (sender.writable && sender.write(`4000\r\n${"x".repeat(0x4000)}\r\n`));
    };
    sender.on("drain", send);
    send();
    while (world.read() < 4_194_304) await world.turn();
    for (let turn = 0; turn < 500; turn++) await world.turn();
    expect(world.read()).toBeLessThan(6_000_000);
    await vi.advanceTimersByTimeAsync(5_000);
    await socket.closed;
  } finally {
    vi.useRealTimers();
  }
});
