import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import {
  appendOf,
  by,
  claimed,
  claimOf,
  createOf,
  endOf,
  oneTo,
  queryOf,
  renewOf,
} from "@tm/run-events-test-servers/requests";
import { createRuledStore, type RuledStore } from "./ruled-store.ts";
import { prepareStatement } from "../src/handle.ts";
import { DRIVERS, driverOf } from "./drivers.ts";
import { recordStatements, textsOf } from "./recorded-statements.ts";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

const LIST = { ownerId: "ada", runStatus: null, before: null, limit: 10 };

/** Node's types may be of a version before this. */
interface Authorized {
  setAuthorizer(authorize: () => number): void;
}

/** Uses every statement of the store, and leaves nothing but events of the runs `long` and `subscribed`. */
async function useAll(store: RuledStore, peer: RuledStore): Promise<void> {
  await store.createRun(createOf("brief"));
  const phase = '"draft"';
  const events = [{ eventType: "PHASE_STARTED", payload: `{"phase":${phase}}`, phase }];
  const first = { ...appendOf("brief"), events, idempotencyKey: "key" };
  await store.append([first]);
  await store.append([first]);
  const many = oneTo(20).flatMap((value) => appendOf("long", value).events);
  await store.append([
    { ...appendOf("long"), events: many },
    appendOf("brief", "x".repeat(10_000)),
    appendOf("brief"),
  ]);
  await store.read([queryOf("brief", { since: 1 }), queryOf("long", { maxBytes: 1_000 })]);
  await store.getRun("brief");
  for (const topic of [null, "tea"]) {
    for (const runStatus of [null, "running", "live"] as const) {
      await store.listRuns({ ...LIST, runStatus, topic });
    }
  }
  const { fence } = await claimed(store, { ...claimOf("brief"), claimKey: "key" });
  await store.renew(renewOf("brief", fence));
  await store.listDue({ due: "leased", forMs: 0, limit: 10 });
  await store.append([endOf("brief", by(fence))]);
  await store.purge({ finishedForMs: 3_600_000, limit: 10 });
  await store.deleteRun("brief");
  // This run is so long that it is removed in pieces.
  await store.createRun(createOf("longest"));
  await store.append([...oneTo(500).map((value) => appendOf("longest", value)), endOf("longest")]);
  await store.deleteRun("longest");
  await store.probe();
  await expectWake(store, peer);
}

/** Another connection's commit, which only a poll of the positions and of the newest events finds. */
async function expectWake(store: RuledStore, peer: RuledStore): Promise<void> {
  for (const subject of ["subscribed", { ownerId: "ada" }]) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const subscription = store.subscribe(subject, (runId) => runId === "subscribed" && resolve());
    await subscription.ready;
    await peer.append([appendOf("subscribed")]);
    await promise;
    subscription.stop();
  }
}

async function createRuns(store: RuledStore): Promise<void> {
  for (const runId of ["long", "subscribed"]) await store.createRun(createOf(runId));
}

describe("statements", () => {
  it.each(DRIVERS)(
    "S12: a plain append or renewal on $name writes to no index of the runs",
    async (driver) => {
      const { db } = await openStore(driver, temporaryFile());
      const advance = textsOf(db).filter((text) =>
        /^UPDATE \S+ SET revision(?!.*due_ms)/s.test(text),
      );
      expect(advance).toHaveLength(1);
      const values = advance.flatMap((text) => [...text.matchAll(/\?/g)].map(() => null));
      const steps = prepareStatement(db, `EXPLAIN ${advance[0]}`).all(...values) as readonly {
        readonly opcode: string;
      }[];
      expect(steps.filter(({ opcode }) => opcode === "OpenWrite")).toHaveLength(1);
    },
  );

  it("statements are compiled once: the same work, done again, does not call the compiler's authorizer", async () => {
    const file = temporaryFile();
    const { store: peer } = await openStore(driverOf("node:sqlite"), file);
    await createRuns(peer);
    const db = new DatabaseSync(file);
    const store = createRuledStore(db);
    await store.verify();
    let asked = 0;
    (db as unknown as Authorized).setAuthorizer(() => {
      asked += 1;
      return 0;
    });
    // With a new authorizer, SQLite compiles every statement once more.
    await useAll(store, peer);
    expect(asked).toBeGreaterThan(0);
    asked = 0;
    const tables = ["runs", "events", "receipts", "probes"].map((name) => `run_events_${name}`);
    db.prepare(`SELECT 1 FROM ${tables.join()} LIMIT 0`);
    const ofProbe = asked;
    asked = 0;
    await useAll(store, peer);
    // A probe selects from the four tables with a statement that is not prepared before.
    expect(asked).toBe(ofProbe);
    await store.close();
    db.close();
  });

  it.each(DRIVERS)("statements are all used by that work on $name", async (driver) => {
    const file = temporaryFile();
    const { db: other, store: peer } = await openStore(driver, file);
    await createRuns(peer);
    const db = openHandle(driver, file);
    const { ran } = recordStatements(db);
    const store = createRuledStore(db);
    await useAll(store, peer);
    expect(textsOf(other).filter((text) => !ran.includes(text))).toEqual([]);
    await store.close();
  });

  it.each(DRIVERS)(
    "statements give $name's planner no parameter of a range or a limit to read",
    async (driver) => {
      const { db } = await openStore(driver, temporaryFile());
      const ranged = textsOf(db).filter((text) =>
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
    },
  );
});
