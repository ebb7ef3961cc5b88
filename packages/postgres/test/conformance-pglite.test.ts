import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe } from "vitest";
import { itKeeps } from "../../conformance/test/drivers/it-keeps.ts";
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
  const profile = "ci" as const;
  const options = { name: "PGlite", profile, ...doors };
  const packages = ["@electric-sql/pglite"];
  itKeeps({ store: "Postgres", driver: "PGlite", packages, options });
  itFindsLeaks(options);
});
