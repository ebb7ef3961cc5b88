import { describe, expect, it } from "vitest";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import { encodeHead, openSocket } from "./harness/raw-socket.ts";
import { DOORS, openWorld } from "./harness/world.ts";

describe.each(DOORS)("%s", (door) => {
  it("W19: an expired session with a bearer token is session_required", async () => {
    await using world = await openWorld(door);
    world.accounts.signOut("ada");
    const path = `/v1/agent-runs/${await world.record()}/stream`;
    const answer = await world.send({ path, headers: { ...ADA, ...ADA_SESSION } });
    expect([answer.status, answer.json()["code"]]).toEqual([401, "session_required"]);
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
