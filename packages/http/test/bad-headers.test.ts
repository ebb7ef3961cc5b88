import { expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { encodeHead, openSocket } from "./harness/raw-socket.ts";
import { openWorld } from "./harness/world.ts";

it.for([
  ["a carriage return", "Last-Event-ID: 1\rX-Evil: 1"],
  ["a line feed that folds", "Last-Event-ID: 1\n\n2"],
  ["a NUL", "Idempotency-Key: a\0b"],
])("W3: a header with %s is a plain 4xx", async ([, header]) => {
  await using world = await openWorld("node:http");
  const head = encodeHead("GET", "/v1/agent-runs", ADA).replace(
    "\r\n\r\n",
    `\r\n${header}\r\n\r\n`,
  );
  using socket = await openSocket(world.port, head);
  await socket.closed;
  expect(socket.received()).toMatch(/^HTTP\/1\.1 4\d\d /);
});
