import { runIdOf } from "./append-writer.ts";

/** How many runs are appended to at a time. */
const AT_ONCE = 100;

const [, , count = "", redisUrl] = process.argv;

/** The runs of this server. */
export const runIds: readonly string[] = Array.from({ length: Number(count) }, (_, index) =>
  runIdOf(index),
);

/** Where its Redis is, if it has one. */
export const REDIS_URL: string | undefined = redisUrl;

/** Appends to every run, some at a time. */
export async function appendToAll(append: (runId: string) => Promise<unknown>): Promise<void> {
  for (let first = 0; first < runIds.length; first += AT_ONCE) {
    await Promise.all(runIds.slice(first, first + AT_ONCE).map(append));
  }
}
