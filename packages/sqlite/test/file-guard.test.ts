import { expect, it } from "vitest";
import { FileGuard } from "../src/file-guard.ts";
import { temporaryFile } from "./stores.ts";

it("S6: where the runtime has no file system, or does not show the file, no file counts as lost", () => {
  const file = temporaryFile();
  const never = (): never => {
    throw new Error("Expected not to be asked.");
  };
  for (const guard of [new FileGuard(file, null), new FileGuard(file, { statSync: never })]) {
    guard.noteLog();
    expect(() => guard.check()).not.toThrow();
  }
});
