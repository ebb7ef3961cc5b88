import { Redis } from "ioredis";
import { HOST } from "./free-port.ts";

/**
 * One command on a connection of its own.
 *
 * @returns its answer as text; a list is joined by commas
 * @throws Error if no server listens, or if it answered with an error
 */
export async function askRedis(
  port: number,
  command: string,
  ...args: readonly (string | number)[]
): Promise<string> {
  const client = new Redis({
    host: HOST,
    port,
    lazyConnect: true,
    // A node that loads its data, or is alone, answers too.
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  let failure: unknown;
  client.on("error", (error: unknown) => (failure = error));
  try {
    await client.connect().catch((error: unknown) => {
      throw failure ?? error;
    });
    return String(await client.call(command, ...args));
  } finally {
    client.disconnect();
  }
}
