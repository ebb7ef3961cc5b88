import { Pool } from "@neondatabase/serverless";
import { afterAll, beforeAll, expectTypeOf, it, onTestFinished } from "vitest";
import type { PostgresPool } from "../../src/index.ts";
import { expectNothingLost, expectNotifications, withoutPolls } from "../lost-sessions.ts";
import { openPool, useServer } from "../stores.ts";
import { startWebSocketProxy, type WebSocketProxy } from "./neon-pool.ts";

const server = useServer();
let proxy: WebSocketProxy;
beforeAll(async () => {
  proxy = await startWebSocketProxy(server().url);
});
afterAll(() => proxy.close());

/** A pool of Neon's driver, which is ended after the test. */
function openNeon(application: string): Pool {
  const pool = proxy.openPool({ application_name: application });
  onTestFinished(() => pool.end());
  return pool;
}

it("S13: commits of other processes arrive by notifications, also after the session that listens was ended", async () => {
  expectTypeOf<Pool>().toExtend<PostgresPool>();
  const application = "neon listening";
  const pool = withoutPolls(openNeon(application));
  await expectNotifications({ pool, application, direct: openPool(server().url) });
});

it("S13, S7: a reader and a writer lose nothing while all their sessions are ended again and again", async () => {
  const application = "neon losing";
  const pool = openNeon(application);
  await expectNothingLost({ pool, application, direct: openPool(server().url) });
});
