import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { createKvStore, type RunEventStore } from "@tm/run-events-core/store";
import { createLibsqlEngine } from "../../examples/libsql-engine.ts";

/** Makes a folder for one store's file. */
export const createFolder = (): Promise<string> => mkdtemp(join(tmpdir(), "run-events-libsql-"));

/** Removes a folder. */
export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true });

/** Opens a store on the file of a folder. */
export async function openLibsqlStore(folder: string): Promise<RunEventStore> {
  const client = createClient({ url: `file:${join(folder, "events.db")}`, timeout: 5_000 });
  return createKvStore(await createLibsqlEngine(client), { durability: "power" });
}
