// The kit's processes open this, each with its own handle.
import type { RunEventStore } from "@tm/run-events-core/store";
import { createSqliteStore } from "../src/index.ts";
import { driverOf } from "./drivers.ts";

/** A file, and the driver to open it with. */
export interface FilePlace {
  readonly driver: string;
  readonly file: string;
}

export async function open({ driver, file }: FilePlace): Promise<RunEventStore> {
  const store = createSqliteStore(driverOf(driver).open(file));
  await store.migrate();
  return store;
}
