import { appendOf, createOf, oneTo } from "@tm/run-events-test-servers/requests";
import { expect, it, vi } from "vitest";
import { fromPostgresJs } from "../../src/postgres-js/index.ts";
import { expectNothingLost, expectNotifications, withoutPolls } from "../lost-sessions.ts";
import { PATIENT } from "../patient.ts";
import { newSchema, openPool, openStore, useServer } from "../stores.ts";
import { openSql } from "./opened-postgres-js.ts";

const server = useServer();

it("S13: commits of other processes arrive by notifications, also after the session that listens was ended", async () => {
  const application = "listening";
  const sql = openSql(server().url, { connection: { application_name: application } });
  const pool = withoutPolls(fromPostgresJs(sql));
  await expectNotifications({ pool, application, direct: openPool(server().url) });
});

it("S18: stores that are opened and closed one after the other on one `sql` leave one listener, and the last is notified", async () => {
  const sql = openSql(server().url, { fetch_types: false });
  const listen = vi.spyOn(sql, "listen");
  const schema = newSchema();
  const other = await openStore(openPool(server().url), { schema });
  await other.createRun(createOf("a"));
  for (const value of oneTo(5)) {
    const store = await openStore(withoutPolls(fromPostgresJs(sql)), { schema });
    const onNotification = vi.fn();
    await store.subscribe("a", onNotification).ready;
    // The first heartbeat notifies; the append only if the store listens.
    for (const least of [1, 2]) {
      await expect
        .poll(() => onNotification.mock.calls.length, PATIENT)
        .toBeGreaterThanOrEqual(least);
      if (least === 1) await other.append([appendOf("a", value)]);
    }
    await store.close();
  }
  expect(listen).toHaveBeenCalledTimes(1);
});

it("S13, S7: a reader and a writer lose nothing while all their sessions are ended again and again", async () => {
  const application = "losing";
  const sql = openSql(server().url, {
    connection: { application_name: application },
    // postgres.js lets the failure of this query, which each new session begins with, end the process.
    fetch_types: false,
  });
  const pool = fromPostgresJs(sql);
  await expectNothingLost({ pool, application, direct: openPool(server().url) });
});

it("S20: an ended `sql` makes the store unavailable for good, and an unreachable server for a while", async () => {
  const sql = openSql(server().url);
  const store = await openStore(fromPostgresJs(sql));
  await sql.end();
  await expect(store.getRun("a")).rejects.toMatchObject({
    message: "The store's pool has been ended: end it after the store is closed.",
    retryable: false,
    ambiguous: false,
  });
  const away = fromPostgresJs(openSql("postgres://127.0.0.1:1/none"));
  await expect(openStore(away)).rejects.toMatchObject({
    code: "store_unavailable",
    retryable: true,
    ambiguous: false,
  });
});
