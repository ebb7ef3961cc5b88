import { runEventStoreConformance } from "@tm/run-events-conformance";
import { describe, expect, inject, it } from "vitest";
import { casesOnLeaks, LEAK_FOUND } from "../../conformance/test/leaking-doors.ts";
import { DRIVERS } from "./drivers.ts";
import { fileDoors } from "./file-doors.ts";

describe.each(DRIVERS)("the SQLite store on $name", (driver) => {
  const options = {
    name: driver.name,
    profile: inject(driver.name === "better-sqlite3" ? "mainProfile" : "variantProfile"),
    soakMs: inject("soakMs"),
    ...fileDoors(driver),
  };
  for (const { name, run, timeoutMs } of runEventStoreConformance(options)) {
    it(name, run, timeoutMs);
  }

  it.each(casesOnLeaks(options))("the kit finds a store that breaks $name", async ({ run }) => {
    await expect(run()).rejects.toThrow(LEAK_FOUND);
  });
});
