import type { ProcessConformanceOptions } from "@tm/run-events-conformance/processes";
import type { RemotePlace } from "./open-remote.ts";
import { type RemoteServer, startRemoteServer } from "./remote-server.ts";

/** Node's options to run the sources. */
export const EXEC_ARGV: readonly string[] = ["-C", "@tm/source"];

/** The kit's access to stores on servers of their own. */
export interface RemoteDoors extends ProcessConformanceOptions<RemotePlace> {
  readonly destroy: (place: RemotePlace) => Promise<void>;
  /** The newest server. */
  readonly server: () => RemoteServer;
}

/** @param mutant spoils the stores; `null` for healthy ones */
export function createRemoteDoors(mutant: string | null): RemoteDoors {
  const servers = new Map<number, RemoteServer>();
  return {
    name: mutant ?? "remote",
    module: new URL("open-remote.ts", import.meta.url),
    async prepare() {
      const server = await startRemoteServer();
      servers.set(server.address.port, server);
      return { ...server.address, mutant };
    },
    destroy: async ({ port }) => servers.get(port)?.close(),
    execArgv: EXEC_ARGV,
    server() {
      const server = [...servers.values()].at(-1);
      if (server === undefined) throw new TypeError("Expected a place.");
      return server;
    },
  };
}

/** The network of the servers, so that connections can be lost. */
export const NETWORK: Required<Pick<ProcessConformanceOptions<RemotePlace>, "network">> = {
  network: {
    server: ({ host, port }) => ({ host, port }),
    through: (place, address) => ({ ...place, ...address }),
  },
};
