import { judgeEmmett } from "./judge-emmett.ts";
import { writeTable } from "./verdict-table.ts";

writeTable(await judgeEmmett());
