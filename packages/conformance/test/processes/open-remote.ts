// The module that the kit's processes load: a healthy store on a port, or the mutant of that name.
import type { Address } from "@tm/run-events-conformance/processes";
import { createKvStore, type Plain, type RunEventStore } from "@tm/run-events-core/store";
import { takePlain } from "../../../core/src/rules/append-rule.ts";
import { changeAlone } from "../mutants/inner-store.ts";
import { connectionFaults } from "./connection-mutants.ts";
import { crashFaults, HUMBLE } from "./crash-mutants.ts";
import { appendEach, type ProcessFault, sharedBy } from "./process-mutant.ts";
import { sharingFaults } from "./sharing-mutants.ts";
import { startFaults } from "./start-mutants.ts";
import { waitingFaults } from "./waiting-mutants.ts";
import { connectEngine } from "./remote-engine.ts";

/** The server's address, and the mutant that spoils the store, as its clause and its name. */
export interface RemotePlace extends Address {
  readonly mutant: string | null;
}

const FAULTS: Readonly<Record<string, ProcessFault>> = {
  ...crashFaults,
  ...HUMBLE,
  ...sharingFaults,
  ...startFaults,
  ...waitingFaults,
  ...connectionFaults,
};

export async function open({ mutant, ...address }: RemotePlace): Promise<RunEventStore> {
  const engine = connectEngine(address);
  const store = withPlains(createKvStore(engine, { durability: "process" }));
  const fault = FAULTS[mutant ?? ""];
  return { ...store, ...(await fault?.(store, await sharedBy(engine))) };
}

/** The store with plain appends, which `createKvStore` leaves to core. */
function withPlains(store: RunEventStore): RunEventStore {
  const take = ({ ownerId, runId, ...plain }: Plain) => {
    const { idempotencyKey: key, events } = plain;
    const keys = key === null ? [] : [key];
    return changeAlone(store, {
      ownerId,
      runId,
      keys,
      decide({ head, receipts, nowMs }) {
        const taken =
          receipts.size > 0 ? null : takePlain(head, { ownerId, runId, ...plain }, nowMs);
        if (taken === null) return { answer: null };
        const { after, landing } = taken;
        const made = keys.map((idempotencyKey) => ({ idempotencyKey, ...landing }));
        return { answer: landing, after, events, receipts: made };
      },
    });
  };
  return { ...store, ...appendEach(take) };
}
