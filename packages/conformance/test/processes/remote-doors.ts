import type { ProcessConformanceOptions } from "@tm/run-events-conformance/processes";
import { EXEC_ARGV } from "./journal-doors.ts";
import type { RemotePlace } from "./open-remote.ts";
import { startRemoteServer } from "./remote-server.ts";

/** How the kit gets at stores on a port. @param mutant who spoils them; null for healthy ones */
export function createRemoteDoors(mutant: string | null): ProcessConformanceOptions<RemotePlace> {
  const closes = new Map<string, () => Promise<void>>();
  return {
    name: mutant ?? "remote",
    module: new URL("open-remote.ts", import.meta.url),
    async prepare() {
      const server = await startRemoteServer();
      const store = crypto.randomUUID();
      closes.set(store, () => server.close());
      return { ...server.address, store, mutant };
    },
    destroy: async ({ store }) => closes.get(store)?.(),
    network: {
      server: ({ host, port }) => ({ host, port }),
      through: (place, address) => ({ ...place, ...address }),
    },
    workers: 2,
    execArgv: EXEC_ARGV,
  };
}
