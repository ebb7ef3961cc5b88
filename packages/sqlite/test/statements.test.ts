import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { DRIVERS } from "./drivers.ts";
import {
  appendOf,
  claimed,
  claimOf,
  createOf,
  queryOf,
  renewOf,
} from "@tm/run-events-test-servers/requests";

const LIST = { ownerId: "ada", runStatus: null, before: null, limit: 10 };

/** Node's types may be of a version before this. */
interface Authorized {
  setAuthorizer(authorize: () => number): void;
}

describe("statements", () => {
  it("are compiled once: done again, the same work asks the compiler's authorizer nothing", async () => {
    const db = new DatabaseSync(":memory:");
    const store = createSqliteStore(db);
    await store.migrate();
    await store.createRun(createOf("run"));
    const append = { ...appendOf("run", "text"), idempotencyKey: "key" };
    const work = async (): Promise<void> => {
      await store.append([append]);
      await store.read([queryOf("run", { since: 0, limit: 10, maxBytes: 1_000 })]);
      await store.read([queryOf("run", { since: 0, limit: 1_000, maxBytes: 1_000_000 })]);
      await store.listRuns(LIST);
      await store.listRuns({ ...LIST, runStatus: "running" });
      await store.getRun("run");
      const { fence } = await claimed(store, { ...claimOf("run"), claimKey: "key" });
      await store.renew(renewOf("run", fence));
      await store.listExpired({ graceMs: 0, limit: 10 });
      await store.purge({ finishedForMs: 1, limit: 10 });
    };
    let asked = 0;
    (db as unknown as Authorized).setAuthorizer(() => {
      asked += 1;
      return 0;
    });
    // An authorizer has every statement compiled once more; the second time the append is a replay, which has its own.
    await work();
    await work();
    expect(asked).toBeGreaterThan(0);
    asked = 0;
    await work();
    expect(asked).toBe(0);
    await store.close();
    db.close();
  });

  it.each(DRIVERS)(
    "leave $name no parameter of a range or a limit to look at",
    async ({ open }) => {
      const texts: string[] = [];
      const db = open(":memory:");
      const recorded = new Proxy(db, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== "function") return value;
          return (...values: readonly string[]): unknown => {
            if (name === "prepare") texts.push(values[0] ?? "");
            return Reflect.apply(value, target, values) as unknown;
          };
        },
      });
      const store = createSqliteStore(recorded);
      await store.migrate();
      const ranged = texts.filter((text) =>
        /^SELECT[^]*(< |> |<= |>= |BETWEEN |LIMIT )[+?]/.test(text),
      );
      expect(ranged.length).toBeGreaterThanOrEqual(5);
      for (const text of ranged) {
        expect(
          text
            .replaceAll("+?", "")
            .replaceAll("? + 0", "")
            .replace("octet_length(payload) <= ?", ""),
        ).not.toContain("?");
      }
      await store.close();
      db.close();
    },
  );
});
