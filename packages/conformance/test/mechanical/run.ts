// Usage: run.ts SHARD/SHARDS COUNT OUT
import { appendFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { install } from "@sinonjs/fake-timers";
import fc from "fast-check";
import { loadMutated, switches } from "./instrument.ts";
const [, , shard = "0/1", count = "300", out = "/dev/stdout"] = process.argv;
const [index = 0, shards = 1] = shard.split("/").map(Number);
const FILES = ["rules/plan-appends.ts","rules/judge-append.ts","rules/plan-lease.ts","rules/plan-run.ts","rules/lease.ts","rules/lifecycle.ts","rules/idle.ts","rules/listed.ts","rules/page.ts","store/memory-rows.ts","store/memory.ts","store/cut-rows.ts","store/row-reads.ts","store/row-removals.ts","store/row-store.ts","store/create-work.ts","store/lease-work.ts","store/idle-work.ts","store/notifier.ts"];
const mutants = await loadMutated(new URL("../../../core/src/", import.meta.url), FILES);
fc.configureGlobal({ endOnFailure: true });
process.on("unhandledRejection", () => {}); process.on("uncaughtException", () => {});
const { storeCases } = await import("../mutants/mutant.ts");
const { sharedMemoryDoors } = await import("../shared-memory.ts");
const now = () => Number(process.hrtime.bigint()) / 1e6;
async function runOne(make: () => any): Promise<string> {
  const clock = install({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"], shouldClearNativeTimers: true });
  const from = now(); const controller = new AbortController(); let verdict: string | null = null;
  try {
    void Promise.resolve().then(() => make().run({ signal: controller.signal })).then(() => { verdict ??= "pass"; }, () => { verdict ??= "fail"; });
    let ticked = 0;
    while (verdict === null) { await clock.tickAsync(10); ticked += 10; if ((ticked >= 60_000 && now() - from > 1500) || now() - from > 6000) { verdict = "hung"; controller.abort(); for (let i = 0; i < 50; i++) await clock.tickAsync(50); } }
    return verdict;
  } finally { clock.uninstall(); }
}
const cases = () => storeCases(sharedMemoryDoors());
const names = cases().map((c) => c.name);
const covers = new Map<string, Set<number>>();
for (const [at, name] of names.entries()) { switches.currentTestId = name; const r = await runOne(() => cases()[at]); if (r !== "pass") console.log("healthy fails", name, r); }
switches.currentTestId = undefined;
for (const [test, ids] of Object.entries(switches.mutantCoverage!.perTest)) for (const id of Object.keys(ids)) (covers.get(id) ?? covers.set(id, new Set()).get(id)!).add(names.indexOf(test));
const sample = mutants.map((m) => ({ ...m, at: createHash("md5").update(`${m.file}:${m.line}:${m.mutator}:${m.replacement}`).digest("hex") })).sort((a, b) => (a.at < b.at ? -1 : 1)).slice(0, +count).filter((_, i) => i % shards === index);
console.log("mutants", mutants.length, "covered", mutants.filter((m) => covers.has(m.id)).length, "sample", sample.length);
const RANDOM = /^(S5 the store answers any program|S4 one order|S5 calls that several)/; let killed = 0, survived = 0, none = 0, random = 0;
for (const m of sample) {
  const at = [...(covers.get(m.id) ?? [])].sort((a, b) => Number(RANDOM.test(names[b]!)) - Number(RANDOM.test(names[a]!)) || a - b);
  if (at.length === 0) { none++; appendFileSync(out, JSON.stringify({ ...m, verdict: "uncovered" }) + "\n"); continue; }
  let killer = ""; switches.activeMutant = m.id;
  for (const i of at) { switches.hitCount = 0; switches.hitLimit = 300_000; const r = await runOne(() => cases()[i]); if (r !== "pass") { killer = `${r} ${names[i]}`; break; } }
  switches.activeMutant = undefined;
  if (killer === "") survived++; else { killed++; if (RANDOM.test(killer.slice(5))) random++; }
  appendFileSync(out, JSON.stringify({ ...m, verdict: killer || "SURVIVED" }) + "\n");
}
console.log({ killed, random, survived, none });
process.exit(0);
