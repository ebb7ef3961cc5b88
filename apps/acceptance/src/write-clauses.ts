import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { coverage, encodeTable } from "./clause-table.ts";

const root = join(import.meta.dirname, "../../..");
writeFileSync(join(import.meta.dirname, "../CLAUSES.md"), encodeTable(coverage(root)));
