import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import type { ConformanceOptions } from "@tm/run-events-conformance";
import { createKvStore } from "@tm/run-events-core/store";
import { createLibsqlEngine } from "../../examples/libsql-engine.ts";

/** Stores on the file of a folder. */
export const LIBSQL: ConformanceOptions<string> = {
  name: "libSQL, whose client answers in promises",
  profile: "quick",
  prepare: () => mkdtemp(join(tmpdir(), "run-events-libsql-")),
  async open(folder) {
    const client = createClient({ url: `file:${join(folder, "events.db")}`, timeout: 5_000 });
    return createKvStore(await createLibsqlEngine(client), { durability: "power" });
  },
  destroy: (folder) => rm(folder, { recursive: true }),
};
