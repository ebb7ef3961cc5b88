import {
  type ProcessConformanceOptions,
  runProcessConformance,
} from "@tm/run-events-conformance/processes";
import { findSystemPostgres } from "@tm/run-events-test-servers";
import { describe, expect, it } from "vitest";
import type { SchemaPlace } from "./open-in-process.ts";
import { newSchema, useServer } from "./stores.ts";

/**
 * The cases in which another version of Postgres or another driver may differ: racing programs, notifications, lost connections and crashes
 * of the server. PGlite runs in one process.
 */
const DIFFERING = /^S4|^S13|connection|the server crashed/;

const ENGINES = [
  { engine: "embedded", driver: "pg", profile: "ci", only: null },
  { engine: "embedded", driver: "postgres.js", profile: "quick", only: DIFFERING },
  ...(findSystemPostgres() === null
    ? []
    : [{ engine: "system", driver: "pg", profile: "quick", only: DIFFERING } as const]),
] as const;

describe.each(ENGINES)(
  "the Postgres store on $driver, with the $engine server, in many processes",
  ({ engine, driver, profile, only }) => {
    const server = useServer({ engine });
    const doors: ProcessConformanceOptions<SchemaPlace> = {
      name: `${driver}, ${engine}`,
      module: new URL("open-in-process.ts", import.meta.url),
      // Schemas are removed with the server, which only this file uses.
      prepare: () => ({ url: server().url, schema: newSchema(), driver }),
      crash: {
        kill: () => server().stop("immediate"),
        restart: () => server().start(),
      },
      network: {
        server({ url }) {
          const { hostname: host, port } = new URL(url);
          return { host, port: Number(port) };
        },
        through(place, { host, port }) {
          const url = Object.assign(new URL(place.url), { hostname: host, port });
          return { ...place, url: url.href };
        },
      },
      profile,
      workers: profile === "ci" ? 3 : 2,
      execArgv: ["-C", "@tm/source"],
    };
    for (const { name, run, timeoutMs } of runProcessConformance(doors)) {
      if (only === null || only.test(name)) it(name, run, timeoutMs);
    }

    if (only !== null) return;
    it("S7: the kit finds a store that never marks an append in doubt as ambiguous", async () => {
      const prepare = (): SchemaPlace => ({
        url: server().url,
        schema: newSchema(),
        isSure: true,
      });
      const cases = runProcessConformance({ ...doors, prepare });
      const lost = cases.find(({ name }) => name.startsWith("S7 an append whose connection"));
      await expect(lost?.run()).rejects.toThrow(
        "S7 is broken: no order of the calls explains their answers.",
      );
    });
  },
);
