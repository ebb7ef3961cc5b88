import { type startChild, withChildren } from "./child.ts";

/** Lends a database server, and processes that work on it, and ends them all. */
export async function withServer<Server extends { close(): Promise<void> }, Result>(
  starting: Promise<Server>,
  use: (server: Server, start: typeof startChild) => Promise<Result>,
): Promise<Result> {
  const server = await starting;
  try {
    return await withChildren((start) => use(server, start));
  } finally {
    await server.close();
  }
}
