import { expect, it } from "vitest";
import { readBlock } from "../docs-page.ts";
import { judgeEmmett } from "./judge-emmett.ts";
import { encodeTable } from "./verdict-table.ts";

it("the docs show the kit's verdict on Emmett, clause by clause", async () => {
  expect(readBlock("emmett")).toBe(encodeTable(await judgeEmmett()));
}, 300_000);
