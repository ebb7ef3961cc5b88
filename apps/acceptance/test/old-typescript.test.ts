import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { emitTypes } from "../src/published/emit-types.ts";
import { makeSnippetFolder } from "./page-quickstart.ts";
import { compileProgram } from "./typed-program.ts";

it("a program with every driver compiles on the oldest TypeScript, strictly and with all types checked", async () => {
  const types = await mkdtemp(join(tmpdir(), "run-events-types-"));
  onTestFinished(() => rm(types, { recursive: true, force: true }));
  const { doors } = await emitTypes(types);
  const paths = Object.fromEntries(doors.map((door) => [door.name, [door.types]]));
  const folder = await makeSnippetFolder({ onTestFinished });
  expect(await compileProgram(folder, "typescript58", "nodenext", paths)).toBe("");
});
