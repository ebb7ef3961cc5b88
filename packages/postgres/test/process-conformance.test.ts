import {
  type ProcessConformanceOptions,
  runProcessConformance,
} from "@tm/run-events-conformance/processes";
import { findSystemPostgres } from "@tm/run-events-test-servers";
import { describe, expect, it } from "vitest";
import type { SchemaPlace } from "./open-in-process.ts";
import { newSchema, useServer } from "./stores.ts";

/**
 * The clauses where another version of Postgres or another driver may differ. They are of crashes, notifications, ordinals, places, claims
 * at creation, inputs, idle runs and changed runs. The histories of racing programs are checked too, against S1 to S10. PGlite runs in
 * one process.
 */
const DIFFERING = ["S4", "S6", "S7", "S13", "S16", "S21", "S23"];

const ENGINES = [
  { engine: "embedded", driver: "pg", profile: "ci", clauses: null },
  { engine: "embedded", driver: "postgres.js", profile: "quick", clauses: DIFFERING },
  ...(findSystemPostgres() === null
    ? []
    : [{ engine: "system", driver: "pg", profile: "quick", clauses: DIFFERING } as const]),
] as const;

describe.each(ENGINES)(
  "the Postgres store on $driver, with the $engine server, in many processes",
  ({ engine, driver, profile, clauses }) => {
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
    for (const { name, clause, run, timeoutMs } of runProcessConformance(doors)) {
      if (clauses === null || clauses.includes(clause)) it(name, run, timeoutMs);
    }

    if (clauses !== null) return;
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
