// Two processes race on runs of one Redis: claims of a few milliseconds, renewals, appends under fences, inputs, reaps, ends, exclusive
// creations, replays. What they were answered is checked against the log, without any rule of core.
import { type ChildProcess, fork } from "node:child_process";
import { startRedis } from "@tm/run-events-test-servers";
import { connectTo } from "../../../redis/test/clients.ts";
import { openRedisStore } from "../../../redis/src/index.ts";
import { appendWrite, ruledWrite } from "../../../core/src/log/write.ts";
import { createWriteQueue } from "../../../core/src/log/write-queue.ts";
import { claimRule, releaseRule } from "../../../core/src/rules/lease-rules.ts";
import { createRule, dueRule, removalRule } from "../../../core/src/rules/run-rules.ts";
import { systemClock } from "../../../core/src/time/clock.ts";

interface Op {
  readonly op: string;
  readonly runId: string;
  readonly start: number;
  readonly end: number;
  readonly out: any;
  readonly tag?: string;
  readonly fence?: number;
  readonly size?: number;
  readonly leaseMs?: number;
}
const OWNER = "ada";
const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function openRacer(url: string) {
  const redis = connectTo(url);
  const store = await openRedisStore(redis, { prefix: "race" });
  const queue = createWriteQueue(store as never, {
    clock: systemClock,
    isClosing: () => false,
    report: null,
  });
  return { store, queue };
}

async function play(racer: Awaited<ReturnType<typeof openRacer>>, round: number, which: number) {
  const { store, queue } = racer;
  const ops: Op[] = [];
  const main = { ownerId: OWNER, runId: `r${round}` };
  let count = 0;
  const timed = async (op: string, runId: string, call: () => Promise<any>, more: object = {}) => {
    const start = now();
    const out = await call();
    ops.push({ op, runId, start, end: now(), out, ...more });
    return out;
  };
  async function append(
    op: string,
    eventType: string,
    change: string,
    appender: any,
    size = 1,
    runId = main.runId,
  ) {
    const tag = `${which}.${count++}`;
    const events = Array.from({ length: size }, (_, at) => {
      const payload = JSON.stringify(`${op} ${appender.fence ?? 0} ${tag} ${at}`);
      return { eventType: at === size - 1 ? eventType : "TOKEN", payload, phase: null };
    });
    const request: any = {
      ownerId: OWNER,
      runId,
      events,
      change,
      appender,
      idempotencyKey: tag,
      expectedSequence: null,
    };
    const out = await timed(op, runId, () => queue.add(appendWrite(request)), {
      tag,
      size,
      fence: appender.fence,
    });
    if (out.outcome === "appended" && Math.random() < 0.2) {
      const again: any = await queue.add(appendWrite(request));
      if (again.outcome !== "replayed" || again.lastSequence !== out.lastSequence) {
        ops.push({ op: "BAD replay", runId, start: 0, end: 0, out: again });
      }
    }
    return out;
  }
  async function work() {
    for (let claims = 0; claims < 3; claims++) {
      const leaseMs = 1 + Math.floor(Math.random() * 25);
      const request: any = { ...main, leaseMs, claimKey: `c${which}.${count++}`, worker: null };
      const claim = await timed(
        "claim",
        main.runId,
        () => queue.add(ruledWrite(main, claimRule(request), { wantsMetadata: true })),
        { leaseMs },
      );
      if (claim.outcome !== "granted") {
        await pause(Math.random() * 10);
        continue;
      }
      const { fence } = claim.run;
      for (let steps = 0; steps < 3; steps++) {
        const landed = await append(
          "worker",
          "TOKEN",
          "started",
          { by: "worker", fence },
          1 + Math.floor(Math.random() * 3),
        );
        if (landed.outcome !== "appended") break;
        if (Math.random() < 0.4) {
          const plain = {
            ...main,
            events: [],
            fence,
            leaseMs,
            expectedSequence: null,
            idempotencyKey: null,
          };
          await timed(
            "renew",
            main.runId,
            async () => (await store.append([plain]))[0] ?? { outcome: "undecided" },
            { fence, leaseMs },
          );
        }
        if (Math.random() < 0.3) await pause(leaseMs * Math.random() * 2);
      }
      if (Math.random() < 0.5) {
        await timed(
          "release",
          main.runId,
          () => queue.add(ruledWrite(main, releaseRule({ ...main, fence }))),
          { fence },
        );
      }
    }
  }
  async function disturb() {
    for (let times = 0; times < 4; times++) {
      const dice = Math.random();
      if (dice < 0.3) await append("anybody", "TOKEN", "started", { by: "anybody" });
      else if (dice < 0.55) await append("input", "INPUT_RECEIVED", "answered", { by: "input" });
      else if (dice < 0.7)
        await append("question", "INPUT_REQUESTED", "waiting", { by: "anybody" });
      else if (dice < 0.85)
        await timed("reap", main.runId, async () => ({
          outcome: await queue.add(ruledWrite(main, dueRule({ kind: "leased", limitMs: 0 }))),
        }));
      else if (dice < 0.9) await append("cancel", "RUN_CANCELLED", "cancelled", { by: "owner" });
      else await append("owner", "TOKEN", "started", { by: "owner" });
      await pause(Math.random() * 6);
    }
  }
  async function compete() {
    for (let times = 0; times < 3; times++) {
      const runId = `x${round}.${which}.${count++}`;
      const name = { ownerId: OWNER, runId };
      const topic = `t${round}`;
      const rule = createRule({ ...name, metadata: "{}", topic, exclusive: true } as any);
      const made = await timed("exclusive", runId, () =>
        queue.add(ruledWrite(name, rule, { topic })),
      );
      if (made.outcome !== "created") continue;
      await pause(Math.random() * 4);
      await append("exclusiveEnd", "RUN_CANCELLED", "cancelled", { by: "owner" }, 1, runId);
      if (Math.random() < 0.3) await queue.add(ruledWrite(name, removalRule()));
    }
  }
  const create = createRule({ ...main, metadata: "{}" } as any);
  await timed("create", main.runId, () => queue.add(ruledWrite(main, create)));
  await Promise.all([work(), work(), disturb(), compete(), compete()]);
  return ops;
}

/** What is wrong with a round. */
function judge(
  round: number,
  ops: readonly Op[],
  events: readonly { sequence: number; eventType: string; payload: string; createdAtMs: number }[],
): string[] {
  const bad = ops
    .filter(({ op }) => op.startsWith("BAD"))
    .map(({ op, out }) => `${op} ${JSON.stringify(out)}`);
  const ofRun = ops.filter(({ runId }) => runId === `r${round}`);
  const texts = events.map(({ payload }) => payload);
  events.forEach(({ sequence, createdAtMs, eventType }, at) => {
    if (sequence !== at + 1) bad.push(`sequence ${sequence} at ${at + 1}`);
    if (at > 0 && createdAtMs < (events[at - 1]?.createdAtMs ?? 0)) bad.push("time runs back");
    if (eventType.startsWith("RUN_") && at !== events.length - 1)
      bad.push(`event after the end at ${at + 2}`);
  });
  const appended = ofRun.filter(({ out, tag }) => tag !== undefined && out.outcome === "appended");
  let acknowledged = ofRun.filter(({ op, out }) => op === "reap" && out.outcome === "ended").length;
  for (const { op, fence = 0, tag, size = 0, out } of appended) {
    acknowledged += size;
    for (let at = 0; at < size; at++) {
      const found = texts[out.firstSequence + at - 1];
      if (found !== JSON.stringify(`${op} ${fence} ${tag} ${at}`))
        bad.push(`lost ${op} ${tag} at ${out.firstSequence + at}: ${found}`);
    }
  }
  if (acknowledged !== events.length)
    bad.push(`${events.length} events, ${acknowledged} acknowledged`);
  let high = 0;
  for (const text of texts) {
    const [, fence] = /^"worker (\d+) /.exec(text) ?? [];
    if (fence === undefined) continue;
    if (Number(fence) < high) bad.push(`old fence ${fence} after ${high}`);
    high = Math.max(high, Number(fence));
  }
  let latest = 0;
  for (const { op, start, end } of appended.toSorted(
    (a, b) => a.out.firstSequence - b.out.firstSequence,
  )) {
    if (end < latest) bad.push(`order of ${op}`);
    latest = Math.max(latest, start);
  }
  const claims = ofRun.filter(({ op, out }) => op === "claim" && out.outcome === "granted");
  if (new Set(claims.map(({ out }) => out.run.fence)).size !== claims.length)
    bad.push("a fence twice");
  for (const a of claims) {
    for (const b of claims) {
      const { fence } = a.out.run;
      if (a === b || fence > b.out.run.fence) continue;
      if (b.end < a.start) bad.push("a later fence was granted earlier");
      for (const { op, fence: under, start, out } of ofRun) {
        if (
          under === fence &&
          start > b.end &&
          (out.outcome === "appended" || (op === "renew" && out.outcome === undefined))
        )
          bad.push(`${op} under an old fence`);
      }
      const renewals = ofRun.filter(
        (one) =>
          one.op === "renew" &&
          one.fence === fence &&
          one.out.outcome === undefined &&
          one.end < b.start,
      );
      const expiry = Math.max(
        a.out.run.leaseExpiresAtMs,
        ...renewals.map(({ out }) => out.leaseExpiresAtMs),
      );
      const isOver = ofRun.some(
        ({ op, start, fence: under, out }) =>
          start < b.end &&
          ((op === "release" && under === fence) ||
            op === "owner" ||
            op === "cancel" ||
            (op === "reap" && out.outcome !== "left")),
      );
      if (expiry > b.out.run.leaseExpiresAtMs - (b.leaseMs ?? 0) && !isOver)
        bad.push("two live leases");
    }
  }
  const lives = ops.flatMap(({ op, out, runId, end }) => {
    const over = ops.find((one) => one.op === "exclusiveEnd" && one.runId === runId);
    return op === "exclusive" && out.outcome === "created" && over !== undefined
      ? [{ from: end, to: over.start }]
      : [];
  });
  for (const a of lives)
    for (const b of lives)
      if (a !== b && a.from < b.to && b.from < a.to) bad.push("two exclusive runs are live");
  return bad;
}

async function child(url: string, which: number): Promise<void> {
  const racer = await openRacer(url);
  process.on("message", async (round: number) => {
    const ops = await play(racer, round, which).catch((error: Error) => [
      { op: `BAD ${error.stack}`, out: null },
    ]);
    process.send?.({ round, ops });
  });
  process.send?.("ready");
}

async function parent(rounds: number): Promise<void> {
  const server = await startRedis({ program: "redis-server" });
  const children = [0, 1].map((which) =>
    fork(process.argv[1] ?? "", [String(rounds), server.url, String(which)], {
      execArgv: process.execArgv,
    }),
  );
  process.on("exit", () => children.forEach((one) => one.kill("SIGKILL")));
  await Promise.all(children.map((one) => new Promise((resolve) => one.once("message", resolve))));
  const { store } = await openRacer(server.url);
  const answers = new Map<string, (ops: Op[]) => void>();
  children.forEach((one, which) =>
    one.on("message", ({ round, ops }: any) => answers.get(`${which} ${round}`)?.(ops)),
  );
  const ask = (one: ChildProcess, which: number, round: number) =>
    new Promise<Op[]>((resolve) => {
      answers.set(`${which} ${round}`, resolve);
      one.send(round);
    });
  const outcomes: Record<string, number> = {};
  const bad: string[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (next < rounds && bad.length < 20) {
        const round = next++;
        const ops = (
          await Promise.all(children.map((one, which) => ask(one, which, round)))
        ).flat();
        for (const { op, out } of ops)
          outcomes[`${op} ${out?.outcome ?? "done"}`] =
            (outcomes[`${op} ${out?.outcome ?? "done"}`] ?? 0) + 1;
        const [page] = await store.read([
          { ownerId: OWNER, runId: `r${round}`, since: 0, limit: 100_000, maxBytes: 1e9 },
        ]);
        bad.push(...judge(round, ops, page?.events ?? []).map((text) => `round ${round}: ${text}`));
      }
    }),
  );
  console.log(`${next} rounds, ${bad.length === 0 ? "no violation" : `${bad.length} VIOLATIONS`}`);
  console.log(
    Object.entries(outcomes)
      .toSorted()
      .map(([name, count]) => `${name}: ${count}`)
      .join(", "),
  );
  for (const text of bad.slice(0, 8)) console.log(text.slice(0, 400));
  await server.close();
  process.exit(bad.length === 0 ? 0 : 1);
}

const [, , rounds = "300", url, which] = process.argv;
await (url === undefined ? parent(Number(rounds)) : child(url, Number(which)));
