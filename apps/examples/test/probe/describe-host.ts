import { join } from "node:path";
import { pinsOf } from "@tm/run-events-test-servers/pins";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../client.ts";
import type { RecipeProcess } from "../recipe-process.ts";
import type { Host } from "./check.ts";
import { checksFor } from "./checks.ts";
import { encodeRecord, type HostRecord, RESULTS } from "./host-record.ts";

/** A host, and what it is known to do in its own way. */
export interface HostTrial {
  /** Its name in the table. */
  readonly name: string;
  /** The npm packages of the server and of its runtime, whose versions the table shows. */
  readonly packages: readonly string[];
  readonly start: () => Promise<RecipeProcess>;
  /**
   * Sends the requests.
   * @defaultValue Node's own `fetch`, over HTTP/1.1
   */
  readonly fetchOf?: (url: string) => typeof globalThis.fetch;
  /**
   * The exit code of its program after SIGTERM; `null` if the signal ends it.
   * @defaultValue 0
   */
  readonly exitCode?: number | null;
  /** Checks that do not hold for it, with what the table says of each. A check that holds again fails the test. */
  readonly own?: Readonly<Record<string, string>>;
}

/** Starts a host, makes all checks of the probe, and compares the results with those that are recorded. */
export function describeHost(trial: HostTrial): void {
  const { name, packages, fetchOf, exitCode = 0, own = {} } = trial;
  const results: Record<string, string> = {};

  describe(`the probe of ${name}`, () => {
    let process: RecipeProcess;
    let host: Host;
    beforeAll(async () => {
      process = await trial.start();
      const fetch = fetchOf?.(process.url) ?? globalThis.fetch;
      host = { process, ...createClient(() => process.url, { fetch }) };
    }, 60_000);
    afterAll(() => process.end("SIGKILL"));

    for (const check of checksFor(exitCode)) {
      const { id } = check;
      const known = own[id];
      if (known === undefined) {
        it(check.name, { timeout: 60_000 }, async () => {
          const how = await check.run(host);
          results[id] = typeof how === "string" ? `yes: ${how}` : "yes";
        });
      } else {
        it(`${check.name}: not on this host`, { timeout: 60_000 }, async () => {
          await expect(check.run(host)).rejects.toThrow();
          results[id] = `no: ${known}`;
        });
      }
    }

    it("its results are those that are recorded, with these versions", async () => {
      const record: HostRecord = { name, versions: pinsOf(packages), results };
      const file = `${name.toLowerCase().replaceAll(/\W+/g, "-")}.json`;
      await expect(encodeRecord(record)).toMatchFileSnapshot(join(RESULTS, file));
    });
  });
}
