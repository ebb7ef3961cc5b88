import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { createKvStore } from "@tm/run-events-core/store";
import { createLibsqlEngine } from "../../examples/libsql-engine.ts";
import { testBridgedStore } from "./bridged-cases.ts";

testBridgedStore(
  "libSQL, whose client answers in promises",
  {
    prepare: () => mkdtemp(join(tmpdir(), "run-events-libsql-")),
    async open(folder: string) {
      const client = createClient({ url: `file:${join(folder, "events.db")}`, timeout: 5_000 });
      return createKvStore(await createLibsqlEngine(client), { durability: "power" });
    },
    destroy: (folder: string) => rm(folder, { recursive: true }),
  },
  "quick",
);
