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

/** The pieces one by one, as a body without a length. */
async function* pieces(...texts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield typeof text === "string" ? bytes.encode(text) : text;
}

describe.each(DOORS)("%s", (door) => {
  it.for([
    ["no body", ""],
    ["no JSON", '{"events":['],
    ["a list", `[${EVENT}]`],
    ["null", "null"],
    ["no events", "{}"],
    ["events that are not a list", `{"events":${EVENT}}`],
    ["events that are null", '{"events":null}'],
    ["an empty list", '{"events":[]}'],
    ["an unknown field", `{"events":[${EVENT}],"runId":"r"}`],
    ["a field twice", `{"events":[${EVENT}],"events":[${EVENT}]}`],
    ["a byte order mark", `\ufeff${BODY}`],
    ["a comma too many", `{"events":[${EVENT},]}`],
    ["a comment", `${BODY}//`],
  ])("W9: a body with %s is 400, and nothing is appended", async ([, body]) => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const answer = await world.send(post(`/v1/agent-runs/${runId}/events`, body));
    expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_request"]);
    await expectNothing(world, runId);
  });

  it.for([
    ["no object", "7"],
    ["null", "null"],
    ["no type", '{"payload":1}'],
    ["a type that is not a string", '{"eventType":7}'],
    ["a small letter", '{"eventType":"Note"}'],
    ["a leading digit", '{"eventType":"1NOTE"}'],
    ["a leading underscore", '{"eventType":"_NOTE"}'],
    ["an empty type", '{"eventType":""}'],
    ["65 characters", `{"eventType":"${"A".repeat(65)}"}`],
    ["a line break after the type", '{"eventType":"NOTE\\n"}'],
    ["an unknown field", '{"eventType":"NOTE","sequence":1}'],
    ["a type twice", '{"eventType":"NOTE","eventType":"NOTE"}'],
    ["a payload twice", '{"eventType":"NOTE","payload":null,"payload":null}'],
  ])("W9: an event with %s refuses the whole batch with 422", async ([, event]) => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const body = `{"events":[${EVENT},${event},${EVENT}]}`;
    const answer = await world.send(post(`/v1/agent-runs/${runId}/events`, body));
    expect([answer.status, answer.json()]).toMatchObject([
      422,
      { code: "invalid_event", index: 1 },
    ]);
    await expectNothing(world, runId);
  });

  it("W9: a batch of 1,000 events and a payload of 256 KiB are accepted, one more is refused", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const path = `/v1/agent-runs/${runId}/events`;
    const events = (count: number): string => `{"events":[${Array(count).fill(EVENT).join(",")}]}`;
    const many = await world.send(post(path, events(1_001)));
    expect([many.status, many.json()["code"]]).toEqual([400, "invalid_request"]);
    await expectNothing(world, runId);
    expect((await world.send(post(path, events(1_000)))).status).toBe(201);

    const payload = (length: number): object => ({
      events: [{ eventType: "BIG", payload: "é".repeat(length) }],
    });
    // Two bytes a letter, and the quotes.
    const long = await world.send(post(path, payload(131_072)));
    expect([long.status, long.json()["code"]]).toEqual([413, "payload_too_large"]);
    expect((await world.send(post(path, payload(131_071)))).status).toBe(201);
    expect((await world.ada.get(runId)).lastSequence).toBe(1_001);
  });
});

describe.each(DOORS)("%s", (door) => {
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

  it("W9: a body over 4 MiB is 413, with and without a Content-Length", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const call = post(`/v1/agent-runs/${runId}/events`, BODY.padEnd(4_194_305));
    const piece = new Uint8Array(1_048_576).fill(32);
    const unsaid = { ...call, body: pieces(BODY, piece, piece, piece, piece, piece, piece) };
    for (const sent of [call, unsaid]) {
      const answer = await world.send(sent);
      expect([answer.status, answer.json()["code"]]).toEqual([413, "payload_too_large"]);
    }
    await expectNothing(world, runId);
    expect((await world.send({ ...call, body: BODY.padEnd(4_194_304) })).status).toBe(201);
  });

  it("W9: a body is accepted in any pieces", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const sent = bytes.encode('{"events":[{"eventType":"NOTE","payload":"é😀"}]}');
    const single = Array.from(sent, (byte) => Uint8Array.of(byte));
    const call = post(`/v1/agent-runs/${runId}/events`, "");
    expect((await world.send({ ...call, body: pieces(...single) })).status).toBe(201);
    const { events } = await world.ada.read(runId);
    expect(events.map(({ payload }) => payload)).toEqual(["é😀"]);
  });

  it.for([
    ["another", { "content-type": "text/plain" }],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }],
    ["a near miss", { "content-type": "application/jsonp" }],
    ["an empty", { "content-type": "" }],
  ])("W9: a body with %s content type is 400", async ([, headers]) => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const answer = await world.send(post(`/v1/agent-runs/${runId}/events`, BODY, headers as {}));
    expect([answer.status, answer.json()["code"]]).toEqual([400, "invalid_request"]);
    await expectNothing(world, runId);
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
