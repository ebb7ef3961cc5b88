import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { createKvStore } from "../../../core/src/store/kv/kv-store.ts";
import { createLibsqlEngine } from "../../examples/libsql-engine.ts";
import { bridgedDoors } from "./bridged-doors.ts";
import { judge } from "./judge.ts";

const open = async (folder: string) =>
  createKvStore(
    await createLibsqlEngine(createClient({ url: `file:${join(folder, "db")}`, timeout: 5_000 })),
    { durability: "power" },
  );
const doors = bridgedDoors({
  prepare: async () => mkdtempSync(join(tmpdir(), "libsql-")),
  open,
  destroy: async (folder: string) => rmSync(folder, { recursive: true }),
});
await judge(
  "libsql",
  undefined as never,
  doors,
  process.argv[2] ? new RegExp(process.argv[2]) : undefined,
);
