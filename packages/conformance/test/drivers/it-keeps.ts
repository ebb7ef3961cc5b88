import { join } from "node:path";
import type { ConformanceCase, ConformanceOptions, RunContext } from "@tm/run-events-conformance";
import { pinsOf } from "@tm/run-events-test-servers/pins";
import { expect, it } from "vitest";
import { casesLeftOut, runEventStoreConformance } from "../../src/conformance.ts";
import { type DriverRecord, encodeRecord, RESULTS } from "./driver-record.ts";

/** A driver of a store, and how the kit runs on it. */
export interface DriverTrial<Place> extends Pick<DriverRecord, "store" | "driver"> {
  /** The npm packages of the driver and its runtime, whose versions the table shows. */
  readonly packages: readonly string[];
  readonly options: ConformanceOptions<Place>;
  /**
   * Runs a case.
   * @defaultValue in this process
   */
  readonly run?: (one: ConformanceCase, context: RunContext) => Promise<void>;
}

/** Registers the kit's cases on a driver, and compares its versions and the cases that are left out with what is recorded. */
export function itKeeps<Place>(trial: DriverTrial<Place>): void {
  const { store, driver, packages, options, run = (one, context) => one.run(context) } = trial;
  for (const one of runEventStoreConformance(options)) {
    it(one.name, (context: RunContext) => run(one, context), one.timeoutMs);
  }

  it("the cases that are left out are those that are recorded, with these versions", async () => {
    const leftOut = [...casesLeftOut(options)].map(([door, names]) => [door, names.length]);
    const record: DriverRecord = {
      store,
      driver,
      versions: pinsOf(packages),
      leftOut: Object.fromEntries(leftOut) as Readonly<Record<string, number>>,
    };
    const name = `${store}-${driver}`.toLowerCase().replaceAll(/\W+/g, "-");
    await expect(encodeRecord(record)).toMatchFileSnapshot(join(RESULTS, `${name}.json`));
  });
}
