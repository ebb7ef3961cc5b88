import { startPostgres } from "@tm/run-events-test-servers";
import pg from "pg";
import { createPostgresStore } from "../../src/index.ts";
const server = await startPostgres({ settings: { default_transaction_isolation: process.argv[2]! } });
const pools = Array.from({ length: 10 }, () => new pg.Pool({ connectionString: server.url, max: 3 }));
const stores = pools.map((p) => createPostgresStore(p));
const r = await Promise.allSettled(stores.map((s) => s.migrate()));
console.log("migrate", r.filter((x) => x.status === "rejected").map((x: any) => x.reason.message + " / " + x.reason.cause?.message));
const s0 = stores[0]!;
await s0.migrate();
await s0.createRun({ runId: "a", ownerId: "x", metadata: "{}" });
let ok = 0; const bad: string[] = [];
const t = performance.now();
await Promise.all(stores.map(async (s) => { for (let i = 0; i < 40; i++) {
  try { const out = await s.append([{ runId: "a", ownerId: null, events: [{ eventType: "X", payload: "1", phase: null }], runStatus: "running", idempotencyKey: null, expectedSequence: null }]); if (out[0]!.outcome === "appended") ok++; }
  catch (e: any) { bad.push(e.message + " " + e.cause?.message + e.ambiguous); }
} }));
console.log(ok, bad.length, new Set(bad), performance.now() - t, (await s0.getRun("a"))!.lastSequence);
await Promise.all(stores.map((s) => s.close())); await Promise.all(pools.map((p) => p.end())); await server.close();
