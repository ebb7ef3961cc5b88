import { PGlite } from "@electric-sql/pglite";
import { runEventStoreConformance } from "@tm/run-events-conformance";
import { afterAll, beforeAll, describe, inject, it } from "vitest";
import { createDoors } from "./doors.ts";
import { itFindsLeaks } from "./leaks.ts";

describe("the Postgres store on PGlite", () => {
  let db: PGlite;
  beforeAll(() => {
    db = new PGlite();
  });
  afterAll(() => db.close());
  const doors = createDoors(
    () => db,
    async () => {
      await db.query("SET default_transaction_read_only = on");
      return async () => void (await db.query("SET default_transaction_read_only = off"));
    },
  );
  const profile = inject("variantProfile");
  const options = { name: "PGlite", profile, ...doors };
  const cases = runEventStoreConformance(options);
  for (const { name, run, timeoutMs } of cases) it(name, run, timeoutMs);
  itFindsLeaks(options);
});
