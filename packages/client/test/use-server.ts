import { afterAll, beforeAll } from "vitest";
import { startServer, type TestServer } from "./start-server.ts";

/** The server of a test file, from its first test to its last. */
export interface UsedServer {
  readonly port: number;
  readonly baseUrl: string;
}

/** Starts a server in its own process for the tests of the file, and stops it after them. */
export function useServer(): UsedServer {
  let server: TestServer | undefined;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.close());
  const portOf = (): number => {
    if (server === undefined) throw new TypeError("Expected to be used within a test.");
    return server.port;
  };
  return {
    get port() {
      return portOf();
    },
    get baseUrl() {
      return `http://127.0.0.1:${portOf()}`;
    },
  };
}
