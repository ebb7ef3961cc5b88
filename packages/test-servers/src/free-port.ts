import { once } from "node:events";
import { createServer } from "node:net";
import { randomInt } from "node:crypto";

/** Every server of the tests listens here. */
export const HOST = "127.0.0.1";

// Below the ports that systems give to outgoing connections: while a server is down, no other program gets
// its port, nor does a client that tries again and again come to connect to itself.
const FIRST_PORT = 10_000;
const PORT_COUNT = 10_000;

// The nodes of a Redis Cluster also listen this much higher.
const BUS_OFFSET = 10_000;

const MAX_STARTS = 10;

/** A port from 10000 to 19999 on which no program listens, nor 10000 above it (the bus of a Redis Cluster). */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + randomInt(PORT_COUNT);
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) return port;
  }
}

/**
 * Starts something on a free port, and again on another one if another program took it meanwhile.
 *
 * @param start its error's message has what the program printed
 * @throws what `start` threw, if that is anything else, or the tenth time
 */
export async function withFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let starts = 1; ; starts += 1) {
    try {
      return await start(await findFreePort());
    } catch (error) {
      if (starts === MAX_STARTS || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, HOST), "listening");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return false;
    throw error;
  }
  server.close();
  await once(server, "close");
  return true;
}
