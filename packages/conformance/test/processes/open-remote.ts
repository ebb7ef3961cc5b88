// What the kit's processes open: a store on a port, which treats lost connections as the mutant of that name does.
import type { Address } from "@tm/run-events-conformance/processes";
import type { RunEventStore } from "@tm/run-events-core/store";
import { connectionMutants } from "./connection-mutants.ts";
import { createRemoteStore, WHOLE } from "./remote-store.ts";

/** Where the server is, whose runs, and who is to spoil the store. */
export interface RemotePlace extends Address {
  readonly store: string;
  readonly mutant: string | null;
}

export function open({ host, port, store, mutant }: RemotePlace): RunEventStore {
  const found = connectionMutants.find(({ name }) => name === mutant);
  return createRemoteStore({ host, port }, store, { ...WHOLE, ...found?.manner });
}
