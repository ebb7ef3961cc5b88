import { expect, it } from "vitest";
import { readBlock } from "../readme-block.ts";
import { judgeEmmett } from "./judge-emmett.ts";
import { encodeTable } from "./verdict-table.ts";

it("the README says of Emmett what the kit says, clause by clause", async () => {
  expect(readBlock("emmett")).toBe(encodeTable(await judgeEmmett()));
}, 300_000);
