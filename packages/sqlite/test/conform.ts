import type { ProfileName } from "@tm/run-events-conformance";
import { describe, expect, inject, it } from "vitest";
import { itKeeps } from "../../conformance/test/drivers/it-keeps.ts";
import { casesOnLeaks, LEAK_FOUND } from "../../conformance/test/leaking-doors.ts";
import { driverOf, type DriverName } from "./drivers.ts";
import { fileDoors } from "./file-doors.ts";

/** The packages of the drivers: node:sqlite comes with Node. */
const PACKAGES = { "better-sqlite3": ["better-sqlite3"], "node:sqlite": ["node"] } as const;

/** Runs the kit on a driver. */
export function conformOn(name: DriverName, profile: ProfileName): void {
  describe(`the SQLite store on ${name}`, () => {
    const options = { name, profile, soakMs: inject("soakMs"), ...fileDoors(driverOf(name)) };
    itKeeps({ store: "SQLite", driver: name, packages: PACKAGES[name], options });

    it.each(casesOnLeaks(options))("the kit finds a store that breaks $name", async ({ run }) => {
      await expect(run()).rejects.toThrow(LEAK_FOUND);
    });
  });
}
