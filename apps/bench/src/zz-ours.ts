import { createMemoryStore, createRunEvents, type RunEventStore } from "@tm/run-events-core";
import { createPostgresStore } from "@tm/run-events-postgres";
import { openRedisStore } from "@tm/run-events-redis";
import { createSqliteStore } from "@tm/run-events-sqlite";
import Database from "better-sqlite3";
import { Redis } from "ioredis";
import net from "node:net";
import { OWNER, runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { appendSpaced, sharedNow } from "./latency-server.ts";
import { listen } from "./listen.ts";
import { createPool } from "./postgres-log.ts";
import { createRunServer } from "./run-server.ts";
import { sampleEvent } from "./sample-event.ts";
const [, , kind = "", place = ""] = process.argv;
const marks: [string, number, number][] = [];
const mark = (n: string, seq = 0) => void marks.push([n, seq, sharedNow()]);
async function open(): Promise<RunEventStore> {
  if (kind === "memory") return createMemoryStore();
  if (kind === "sqlite") { const s = createSqliteStore(new Database(place)); await s.migrate(); return s; }
  if (kind === "postgres") { const s = createPostgresStore(createPool(place)); await s.migrate(); return s; }
  return openRedisStore(new Redis(place), { prefix: "zz" });
}
const s = await open();
const store = { ...s, capabilities: s.capabilities,
  append: async (r: any) => { const t = sharedNow(); const o: any = await s.append(r); marks.push(["append-sent", o[0].lastSequence, t]); mark("append-ack", o[0].lastSequence); return o; },
  watch: (id: string, wake: () => void) => s.watch(id, () => { mark("bell"); wake(); }),
  read: async (q: any) => { mark("read-sent"); const o: any = await s.read(q); mark("read-back", o[0]?.run.lastSequence); return o; },
} as RunEventStore;
const w = net.Socket.prototype.write;
net.Socket.prototype.write = function (this: any, ...a: any[]) { if (this.server) mark("write-start"); const r = (w as any).apply(this, a); if (this.server) mark("write"); return r; } as any;
const runs = createRunEvents({ store });
await runs.create({ ownerId: OWNER, runId: runIdOf(0) });
const server = createRunServer(runs, OWNER);
const event = sampleEvent(300);
serveParent<any>({
  listen: () => listen(server),
  append: (load: any) => appendSpaced(load, async () => { const t = sharedNow(); const r = await runs.append(runIdOf(0), [event]); marks.push(["call", r.lastSequence, t]); return r.lastSequence; }),
  marks: () => marks.splice(0),
});
