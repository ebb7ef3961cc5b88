import { expect, it } from "vitest";
import { judgeEmmett } from "./judge-emmett.ts";
import { encodeTable, readTable } from "./verdict-table.ts";

it("the README says of Emmett what the kit says, clause by clause", async () => {
  expect(readTable()).toBe(encodeTable(await judgeEmmett()));
}, 300_000);
