import { once } from "node:events";
import { createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { findFreePort, HOST, withFreePort } from "../src/free-port.ts";

it("a start whose port was taken meanwhile is made again on another one", async () => {
  const tried: number[] = [];
  const port = await withFreePort(async (port) => {
    tried.push(port);
    const server = createServer();
    onTestFinished(() => void server.close());
    if (tried.length === 1) {
      const thief = createServer();
      onTestFinished(() => void thief.close());
      await once(thief.listen(port, HOST), "listening");
    }
    await once(server.listen(port, HOST), "listening");
    return port;
  });
  expect(tried).toHaveLength(2);
  expect(tried[1]).toBe(port);
});

it("a start that fails for any other reason is not made again", async () => {
  let starts = 0;
  const start = withFreePort(() => {
    starts += 1;
    return Promise.reject(new Error("no such setting"));
  });
  await expect(start).rejects.toThrow("no such setting");
  expect(starts).toBe(1);
});

it("a free port is one that no outgoing connection gets", async () => {
  const port = await findFreePort();
  expect(port).toBeGreaterThanOrEqual(10_000);
  expect(port).toBeLessThan(20_000);
});
