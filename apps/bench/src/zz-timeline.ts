import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { withServer } from "./with-server.ts";
import { withChildren, startChild } from "./child.ts";
import { withTempFolder } from "./temp-folder.ts";
import { streamPath } from "./run-server.ts";
import { runIdOf } from "./append-writer.ts";
const N = 200;
async function line(name: string, start: typeof startChild, two: boolean, ...args: string[]) {
  const readers = start<any>(new URL("latency-readers.ts", import.meta.url));
  const a = start<any>(new URL("zz-ours.ts", import.meta.url), ...args);
  await a.call("append", { appends: 0, intervalMs: 0 });
  const b = two ? start<any>(new URL("zz-ours.ts", import.meta.url), ...args) : a;
  const port = await b.call("listen");
  await readers.call("connect", { group: "g", port, path: streamPath(runIdOf(0)), count: 100 });
  for (const warm of [true, false]) {
    const begun: any = await a.call("append", { appends: N, intervalMs: 20 });
    const seq = Math.max(...begun.map((x: any) => x.sequence));
    const receipts: any = await readers.call("receipts", { group: "g", sequence: seq });
    const am: any = await a.call("marks"); const bm: any = two ? await b.call("marks") : am;
    if (warm) continue;
    const t: Record<string, number[]> = {};
    const add = (k: string, v: number) => (t[k] ??= []).push(v);
    for (const { sequence, atMs } of begun) {
      const at = (ms: any[], n: string) => ms.find((m) => m[0] === n && m[1] === sequence)?.[2];
      const sent = at(am, "append-sent"), ack = at(am, "append-ack"), back = at(bm, "read-back");
      add("1 call → store.append", sent - atMs); add("2 → acknowledged", ack - atMs);
      const before = bm.filter((m: any) => m[2] <= back);
      add("3 → bell", before.findLast((m: any) => m[0] === "bell")?.[2] - atMs);
      add("4 → read sent", before.findLast((m: any) => m[0] === "read-sent")?.[2] - atMs);
      add("5 → read back", back - atMs);
      const wr = bm.filter((m: any) => m[0] === "write" && m[2] > back).slice(0, 100);
      add("5z → first write begins", bm.find((m: any) => m[0] === "write-start" && m[2] > back)?.[2] - atMs);
      add("6 → first written", wr[0]?.[2] - atMs); add("7 → last written", wr[99]?.[2] - atMs);
      const r = receipts.filter((x: any) => x.sequence === sequence).map((x: any) => x.atMs - atMs).sort((x: number, y: number) => x - y);
      add("8 → first received", r[0]); add("9 → median received", r[50]); add("9z → last received", r[99]);
    }
    console.log("##", name);
    for (const [k, v] of Object.entries(t)) { const c = v.filter(Number.isFinite).sort((x, y) => x - y); console.log(k.padEnd(26), [0.1, 0.25, 0.5, 0.9].map((p) => (c[Math.floor(p * c.length)] ?? NaN).toFixed(2)).join("  ")); }
  }
}
const which = process.argv[2] ?? "all";
if (/all|mem/.test(which)) await withChildren((start) => line("memory", start, false, "memory"));
if (/all|sql/.test(which)) await withTempFolder((f) => withChildren((start) => line("sqlite", start, false, "sqlite", f + "/a.db")));
if (/all|sql/.test(which)) await withTempFolder((f) => withChildren((start) => line("sqlite two", start, true, "sqlite", f + "/a.db")));
if (/all|pos/.test(which)) await withServer(startPostgres(), async (s, start) => line("postgres", start, true, "postgres", await s.createDatabase()));
if (/all|red/.test(which)) await withServer(startRedis(), async (s, start) => line("redis", start, true, "redis", s.url));
process.exit();
