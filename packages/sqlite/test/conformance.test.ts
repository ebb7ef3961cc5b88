import { describe, expect, inject, it } from "vitest";
import { itKeeps } from "../../conformance/test/drivers/it-keeps.ts";
import { casesOnLeaks, LEAK_FOUND } from "../../conformance/test/leaking-doors.ts";
import { DRIVERS } from "./drivers.ts";
import { fileDoors } from "./file-doors.ts";

/** The packages of the drivers: node:sqlite comes with Node. */
const PACKAGES = { "better-sqlite3": ["better-sqlite3"], "node:sqlite": ["node"] } as const;

describe.each(DRIVERS)("the SQLite store on $name", (driver) => {
  const options = {
    name: driver.name,
    profile: inject(driver.name === "better-sqlite3" ? "mainProfile" : "variantProfile"),
    soakMs: inject("soakMs"),
    ...fileDoors(driver),
  };
  const { name } = driver;
  itKeeps({ store: "SQLite", driver: name, packages: PACKAGES[name], options });

  it.each(casesOnLeaks(options))("the kit finds a store that breaks $name", async ({ run }) => {
    await expect(run()).rejects.toThrow(LEAK_FOUND);
  });
});
