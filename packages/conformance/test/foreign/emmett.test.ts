import { expect, it } from "vitest";
import { readBlock } from "../docs-page.ts";
import { judgeEmmett } from "./judge-emmett.ts";
import { encodeTable } from "./verdict-table.ts";

it("the docs say of Emmett what the kit says, clause by clause", async () => {
  expect(readBlock("emmett")).toBe(encodeTable(await judgeEmmett()));
}, 300_000);
