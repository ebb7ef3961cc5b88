import { Redis } from "ioredis";
import { HOST } from "./free-port.ts";

/**
 * One command on a connection of its own.
 *
 * @throws Error if nobody listens, or what the server answered is an error
 */
export async function sendRedisCommand(
  port: number,
  command: string,
  ...args: readonly (string | number)[]
): Promise<unknown> {
  const client = new Redis({
    host: HOST,
    port,
    lazyConnect: true,
    // A node that loads its data or stands alone answers too.
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  let failure: unknown;
  client.on("error", (error: unknown) => (failure = error));
  try {
    await client.connect().catch((error: unknown) => {
      throw failure ?? error;
    });
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}

/** As `sendRedisCommand`, for a command whose answer is text. */
export async function askRedis(
  port: number,
  command: string,
  ...args: readonly (string | number)[]
): Promise<string> {
  return String(await sendRedisCommand(port, command, ...args));
}
