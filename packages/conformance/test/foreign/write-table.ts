import { writeBlock } from "../docs-page.ts";
import { judgeEmmett } from "./judge-emmett.ts";
import { encodeTable } from "./verdict-table.ts";

writeBlock("emmett", encodeTable(await judgeEmmett()));
