// The module that the kit's processes load in tests of how they end.
import { once } from "node:events";
import { connect } from "node:net";
import { createMemoryStore } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";

/** Which store: one that others do not see, one that ends its process, or one that holds a connection, and never changes a run. */
export type OtherPlace =
  | { readonly kind: "memory" | "dying" }
  | { readonly kind: "waiting"; readonly port: number };

export async function open(place: OtherPlace): Promise<RunEventStore> {
  const memory = createMemoryStore();
  if (place.kind === "memory") return memory;
  const store = { ...memory, capabilities: { ...memory.capabilities, shared: true } };
  if (place.kind === "waiting") {
    const socket = connect(place.port, "127.0.0.1");
    await once(socket, "connect");
    return {
      ...store,
      change() {
        socket.write("creating");
        return new Promise(() => {});
      },
    };
  }
  return {
    ...store,
    append() {
      console.error("The disk is on fire.");
      return process.exit(3);
    },
  };
}
