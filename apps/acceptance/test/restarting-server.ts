import { type ServerOptions, type ServerProcess, startServer } from "./server-process.ts";

/** A server that is killed and started again on the same port and the same store. */
export interface RestartingServer {
  /** Resolves with the server's address, always the same, as soon as it serves. */
  url(): Promise<string>;
  /**
   * Kills it and starts it again.
   * @param inspect gets the new server before any other caller
   */
  crash(inspect?: (url: string) => Promise<void>): Promise<void>;
}

/** A loopback address that nothing else uses, so that no program takes the port while no server has it. */
const HOST = "127.0.0.2";

/** Starts a server that can be crashed. */
export async function startRestartingServer({
  storeUrl,
  env,
}: Pick<ServerOptions, "storeUrl" | "env">): Promise<RestartingServer> {
  let server: ServerProcess = await startServer({ storeUrl, env: { ...env, HOST } });
  const { port } = new URL(server.url);
  let up = Promise.resolve(server.url);
  return {
    url: () => up,
    async crash(inspect) {
      const { promise, resolve } = Promise.withResolvers<string>();
      // Set before the kill, so that a client which loses its connection waits for the next server.
      up = promise;
      await server.kill();
      server = await startServer({ storeUrl, env: { ...env, HOST, PORT: port } });
      await inspect?.(server.url);
      resolve(server.url);
    },
  };
}
