import { describe, expect, it } from "vitest";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import { sequencesOf } from "./harness/live-stream.ts";
import { encodeHead, openSocket } from "./harness/raw-socket.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

/** The cursor in a stream's `connected`, and the first sequence after it. */
async function cursorOf(
  world: World,
  runId: string,
  query: string,
  headers: Readonly<Record<string, string>>,
): Promise<readonly unknown[]> {
  const stream = await world.tail(runId, query, headers);
  const connected = await stream.next();
  const first = await stream.next();
  stream.leave();
  return [connected.data["since"], connected.id, ...sequencesOf([first])];
}

describe.each(DOORS)("%s", (door) => {
  it("W19: the stream takes only the session, even of a request with both credentials", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("RUN_COMPLETED");
    const path = `/v1/agent-runs/${runId}/stream`;
    for (const method of ["GET", "HEAD"]) {
      const bearer = await world.send({ method, path, headers: ADA });
      expect([method, bearer.status]).toEqual([method, 401]);
      if (method === "GET") expect(bearer.json()["code"]).toBe("session_required");
      const both = await world.send({ method, path, headers: { ...ADA, ...ADA_SESSION } });
      expect([method, both.status]).toEqual([method, 200]);
    }
    const others = await world.send({ path, headers: { ...ADA, cookie: "session=bob" } });
    expect(others.status).toBe(404);
  });

  it("W19: an expired session with a bearer token is session_required", async () => {
    await using world = await openWorld(door);
    world.accounts.signOut("ada");
    const path = `/v1/agent-runs/${await world.record()}/stream`;
    const answer = await world.send({ path, headers: { ...ADA, ...ADA_SESSION } });
    expect([answer.status, answer.json()["code"]]).toEqual([401, "session_required"]);
  });

  it("W19: HEAD answers the headers and opens no stream", async () => {
    await using world = await openWorld(door);
    const path = `/v1/agent-runs/${await world.record("NOTE")}/stream`;
    const head = await world.send({ method: "HEAD", path, headers: ADA_SESSION });
    expect([head.status, head.text]).toEqual([200, ""]);
    expect(head.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(world.stats().streams).toMatchObject({ open: 0, opened: 0 });
    for (const query of ["?since=x", "?since=1&since=1"]) {
      const bad = await world.send({ method: "HEAD", path: path + query, headers: ADA_SESSION });
      expect(bad.status).toBe(400);
    }
  });

  it("W20: the cursor is the header, else since, else 0", async () => {
    await using world = await openWorld(door);
    const runId = await world.record(...Array<string>(9).fill("NOTE"));
    const cases: readonly (readonly [string, string | null, number])[] = [
      ["", null, 0],
      ["?since=4", null, 4],
      ["", "4", 4],
      ["?since=2", "6", 6],
      ["?since=6", "2", 2],
      ["?since=6", "0", 0],
      ["?since=999", "3", 3],
    ];
    for (const [query, header, cursor] of cases) {
      const headers = header === null ? {} : { "last-event-id": header };
      expect([query, header, ...(await cursorOf(world, runId, query, headers))]).toEqual([
        query,
        header,
        cursor,
        cursor,
        cursor + 1,
      ]);
    }
  });

  it.for(["x", "", "-1", "+3", "1e3", "01", "1.0", "3, 4", "\u00e9", "0x3", "null"])(
    "W20: a Last-Event-ID of %o is ignored",
    async (header) => {
      await using world = await openWorld(door);
      const runId = await world.record("A", "B", "C");
      for (const [query, cursor] of [
        ["", 0],
        ["?since=2", 2],
      ] as const) {
        const found = await cursorOf(world, runId, query, { "last-event-id": header });
        expect(found).toEqual([cursor, cursor, cursor + 1]);
      }
    },
  );
});

describe.each(DOORS)("%s", (door) => {
  it("W20: a malformed since is 400, with any Last-Event-ID", async () => {
    await using world = await openWorld(door);
    const path = `/v1/agent-runs/${await world.record("NOTE")}/stream`;
    for (const query of [
      "since=x",
      "since=",
      "since=-1",
      "since=01",
      "since=1e0",
      "since=0&since=0",
    ]) {
      for (const more of [{}, { "last-event-id": "0" }]) {
        const answer = await world.send({
          path: `${path}?${query}`,
          headers: { ...ADA_SESSION, ...more },
        });
        expect([query, answer.status, answer.json()["code"]]).toEqual([
          query,
          400,
          "invalid_cursor",
        ]);
      }
    }
  });

  it("W21: the stream's headers are the same for any Accept of the client", async () => {
    await using world = await openWorld(door);
    const runId = await world.record("RUN_COMPLETED");
    for (const accept of ["text/event-stream", "*/*", "application/json"]) {
      const stream = await world.tail(runId, "", { accept, "accept-encoding": "gzip, br" });
      const { date: _, connection, "keep-alive": __, ...headers } = stream.headers;
      expect([stream.status, headers]).toEqual([
        200,
        {
          "content-type": "text/event-stream; charset=utf-8",
          "cache-control": "no-cache, no-store, no-transform",
          "x-accel-buffering": "no",
          "x-content-type-options": "nosniff",
          // The body is in chunks where there is a body on a wire.
          ...(world.port === null ? {} : { "transfer-encoding": "chunked" }),
        },
      ]);
      expect(["keep-alive", undefined]).toContain(connection);
      await stream.rest();
    }
  });

  it("W21: the first frame comes at once, even of a run without events", async () => {
    await using world = await openWorld(door);
    const stream = await world.tail(await world.record());
    expect((await stream.next()).data).toMatchObject({ type: "connected", lastSequence: 0 });
  });
});

it("W21: head and first frame are on the socket before anything else happens", async () => {
  await using world = await openWorld("node:http");
  const path = `/v1/agent-runs/${await world.record()}/stream`;
  using socket = await openSocket(world.port, encodeHead("GET", path, ADA_SESSION));
  expect(await socket.until("\n\n")).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*"type":"connected"/);
});

it("W21: a client of HTTP/1.0 gets the same frames, up to the close", async () => {
  await using world = await openWorld("node:http");
  const path = `/v1/agent-runs/${await world.record("NOTE", "RUN_FAILED")}/stream`;
  const head = encodeHead("GET", path, ADA_SESSION).replace("HTTP/1.1", "HTTP/1.0");
  using socket = await openSocket(world.port, head);
  await socket.closed;
  const [, body = ""] = socket.received().split("\r\n\r\n");
  expect(body).toMatch(
    /^retry: \d+\ndata: \{"type":"connected".*"type":"run_finished".*\nid: 3\n\n$/s,
  );
});

it("W21: a connection serves its next request when a stream on it has ended", async () => {
  await using world = await openWorld("node:http");
  const runId = await world.record("NOTE");
  const path = `/v1/agent-runs/${runId}`;
  const requests = [`${path}/stream`, `${path}/stream?since=1`, path];
  const heads = requests.map((at) => encodeHead("GET", at, ADA_SESSION));
  using socket = await openSocket(world.port, heads.join(""));
  await socket.until('"eventType":"NOTE"');
  await world.ada.append(runId, [{ eventType: "RUN_COMPLETED" }]);
  const all = await socket.until('"metadata"');
  expect(all.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
  expect(all.match(/"type":"run_finished"/g)).toHaveLength(2);
});

it("W19: the body of a stream's request is ignored", async () => {
  await using world = await openWorld("node:http");
  const path = `/v1/agent-runs/${await world.record("RUN_COMPLETED")}/stream`;
  const head = encodeHead("GET", path, { ...ADA_SESSION, "Content-Length": "4" });
  using socket = await openSocket(world.port, `${head}body${encodeHead("GET", "/openapi.json")}`);
  expect(await socket.until('"openapi":"3.1.0"')).toContain('"type":"run_finished"');
});
