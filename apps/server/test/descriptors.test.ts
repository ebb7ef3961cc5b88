import { execFileSync } from "node:child_process";
import { connect, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { planConnections } from "../src/connection-limit.ts";
import { ADA, startServer } from "./start-server.ts";

const LIMIT = 256;

/** Sends requests on one connection, which stays open. */
class Kept {
  readonly socket: Socket;
  #received = "";
  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    onTestFinished(() => void this.socket.destroy());
    this.socket.on("data", (bytes: Buffer) => (this.#received += bytes.toString()));
    this.socket.on("error", () => {});
  }

  /** Resolves with the answer once it matches. */
  async ask(head: string, has: RegExp): Promise<string> {
    this.#received = "";
    this.socket.write(`${head}\r\nHost: a\r\nAuthorization: Bearer ${ADA}\r\n\r\n`);
    await expect.poll(() => this.#received, { timeout: 20_000 }).toMatch(has);
    return this.#received;
  }
}

it("a server with few descriptors drops connections before the system does, counts them, and still answers the others", async () => {
  const server = await startServer(
    { STORE_URL: "sqlite:runs.db" },
    undefined,
    undefined,
    `ulimit -n ${LIMIT}; `,
  );
  const { maxConnections } = planConnections(20_000, LIMIT);
  // Two for each of the 20,000 streams, and the reserve.
  const warning = { event: "descriptors_low", limit: LIMIT, needed: 40_064, maxConnections };
  await expect.poll(() => server.stderr()).toContain("\n");
  expect(JSON.parse(server.stderr().split("\n", 1)[0] ?? "")).toMatchObject(warning);
  const kept = new Kept(server.port);
  await kept.ask("GET /metrics HTTP/1.1", /_dropped_total 0\n/);
  const more = 100;
  const others = Array.from({ length: maxConnections - 1 + more }, () => new Kept(server.port));
  let closed = 0;
  for (const { socket } of others) socket.once("close", () => (closed += 1));
  await expect.poll(() => closed, { timeout: 20_000 }).toBe(more);
  const metrics = await kept.ask("GET /metrics HTTP/1.1", /store_stalls_total \d+\n/);
  expect(metrics).toMatch(/^HTTP\/1\.1 200 /);
  expect(metrics).toContain(`run_events_connections_dropped_total ${more}\n`);
  expect(metrics).toMatch(/^process_resident_memory_bytes [1-9]\d+$/m);
  await kept.ask("POST /v1/agent-runs HTTP/1.1\r\nContent-Length: 0", /^HTTP\/1\.1 201 /);
});

it("/metrics is answered when no descriptor is free, with the memory as it was last read", async () => {
  const server = await startServer();
  const kept = new Kept(server.port);
  await kept.ask("GET /metrics HTTP/1.1", /store_stalls_total \d+\n/);
  // From now on nothing can be opened.
  execFileSync("prlimit", ["--pid", `${server.process.pid}`, "--nofile=1:1"]);
  const metrics = await kept.ask("GET /metrics HTTP/1.1", /store_stalls_total \d+\n/);
  expect(metrics).toMatch(/^HTTP\/1\.1 200 /);
  expect(metrics).toMatch(/^process_resident_memory_bytes [1-9]\d+$/m);
});
