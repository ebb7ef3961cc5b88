import { type ServerProcess, startServer } from "./server-process.ts";

/** A server that is killed and started again on the same port and the same database. */
export interface RestartingServer {
  readonly port: number;
  /** Resolves with the server's address as soon as there is one. */
  url(): Promise<string>;
  /**
   * Kills it and starts it again.
   * @param inspect sees the new server before anybody else is told of it
   */
  crash(inspect: (url: string) => Promise<void>): Promise<void>;
}

/** Starts a server that can be crashed. */
export async function startRestartingServer(databasePath: string): Promise<RestartingServer> {
  let server: ServerProcess = await startServer({ databasePath });
  const { port } = server;
  let up = Promise.resolve(server.url);
  return {
    port,
    url: () => up,
    async crash(inspect) {
      const { promise, resolve } = Promise.withResolvers<string>();
      // Before the kill: whoever loses a connection to it waits for the next server.
      up = promise;
      await server.kill();
      server = await startServer({ databasePath, port });
      await inspect(server.url);
      resolve(server.url);
    },
  };
}
