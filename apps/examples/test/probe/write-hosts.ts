import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeHostsPage, readRecords } from "./host-table.ts";

writeFileSync(join(import.meta.dirname, "../../docs/hosts.md"), encodeHostsPage(readRecords()));
