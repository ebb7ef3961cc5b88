import { runProcessConformance } from "@tm/run-events-conformance/processes";
import { describe, it } from "vitest";
import type { SchemaPlace } from "./open-in-process.ts";
import { newSchema, useServer } from "./stores.ts";

const server = useServer();

describe("the Postgres store on pg, in many processes", () => {
  const cases = runProcessConformance<SchemaPlace>({
    name: "pg",
    module: new URL("open-in-process.ts", import.meta.url),
    // Schemas go with the server, which is this file's own.
    prepare: () => ({ url: server().url, schema: newSchema() }),
    crash: {
      kill: () => server().stop("immediate"),
      restart: () => server().start(),
    },
    execArgv: ["-C", "@tm/source"],
  });
  for (const { name, run } of cases) it(name, run);
});
