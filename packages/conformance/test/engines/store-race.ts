import { setImmediate, setTimeout } from "node:timers/promises";
import { type RunName, type RunEventStore } from "@tm/run-events-core/store";
import { landOnce } from "../../../core/src/rules/land-once.ts";
import { appendRule } from "../../../core/src/rules/append-rule.ts";
import { claimRule, releaseRule } from "../../../core/src/rules/lease-rules.ts";
import type { Rule } from "../../../core/src/rules/decision.ts";
import { createRule } from "../../../core/src/rules/run-rules.ts";

/** The results of a race; the tests check it apart from the rules. */
interface RaceReport {
  /** The number of appends that were acknowledged. */
  readonly acknowledged: number;
  /** The faults that were found, in words. */
  readonly faults: readonly string[];
}

/** Several workers on several stores of one place, until they are stopped. */
export interface Race {
  /** Resolves once so many more appends have been acknowledged, or something has failed. */
  until(more: number): Promise<void>;
  /** Lets the workers finish what they have under way. */
  stop(): Promise<RaceReport>;
}

const RUNS: readonly RunName[] = ["a", "b"].map((runId) => ({ ownerId: "race", runId }));
const WORKERS = 4;
const newId = (): string => crypto.randomUUID();

/** Makes a call again until its outcome is known. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    // Timers have their turn too, although a driver that works synchronously never waits.
    await setImmediate();
    try {
      return await call();
    } catch (error) {
      if ((error as { code?: unknown }).code !== "store_unavailable") throw error;
    }
  }
}

function change<Answer>(
  store: RunEventStore,
  name: RunName,
  rule: Rule<Answer>,
  more: object = {},
): Promise<Answer> {
  const decide = landOnce(rule, newId);
  return insist(async () => {
    const [answer] = await store.change([{ ...name, ...more, decide }]);
    return answer as Answer;
  });
}

/** @param landed gets where the payload landed */
async function append(
  landed: Map<string, number>,
  store: RunEventStore,
  name: RunName,
  payload: string,
  fence: number | null,
): Promise<boolean> {
  const idempotencyKey = newId();
  const events = [{ eventType: "TOKEN", payload: JSON.stringify(payload), phase: null }];
  const plain = { ...name, events, fence, leaseMs: null, expectedSequence: null, idempotencyKey };
  const appender = fence === null ? { by: "input" as const } : { by: "worker" as const, fence };
  const rule = appendRule({ ...plain, appender });
  // As core does: what is not plain, or in doubt, is decided by the rule.
  const [landing = null] = await store.append([plain]).catch(() => [null]);
  if (landing !== null) {
    landed.set(payload, landing.lastSequence);
    return true;
  }
  const outcome = await change(store, name, rule, { keys: [idempotencyKey] });
  if (outcome.outcome !== "appended" && outcome.outcome !== "replayed") return false;
  landed.set(payload, outcome.lastSequence);
  return true;
}

/**
 * Starts a race: workers claim runs and append under their fences, others append keyed events as plain as they can, and others create
 * exclusive runs of one topic and end them.
 */
export async function startRace(stores: readonly RunEventStore[]): Promise<Race> {
  const [first] = stores;
  if (first === undefined) throw new TypeError("Expected a store.");
  const landed = new Map<string, number>();
  const faults: string[] = [];
  let isOver = false;
  let live = 0;

  async function work(store: RunEventStore, name: RunName, worker: string): Promise<void> {
    for (let turn = 0; !isOver; turn++) {
      const claimed = await change(store, name, claimRule({ ...name, leaseMs: 200, worker }));
      if (claimed.outcome !== "granted") {
        await append(landed, store, name, `0 ${worker} ${turn}`, null);
        continue;
      }
      const { fence } = claimed.run;
      for (let step = 0; step < 3; step++) {
        if (!(await append(landed, store, name, `${fence} ${worker} ${turn}.${step}`, fence)))
          break;
      }
      await change(store, name, releaseRule({ ...name, fence }));
    }
  }

  async function createOne(store: RunEventStore): Promise<void> {
    for (let turn = 0; !isOver; turn++) {
      const name = { ownerId: "race", runId: newId() };
      const request = { ...name, metadata: "1", topic: "one", exclusive: true };
      const created = await change(store, name, createRule(request), { topic: "one" });
      if (created.outcome !== "created") continue;
      live += 1;
      if (live > 1) faults.push(`${live} exclusive runs live`);
      const events = [{ eventType: "RUN_COMPLETED", payload: "{}", phase: null }];
      const end = { events, expectedSequence: null, idempotencyKey: null };
      live -= 1;
      await change(store, name, appendRule({ ...name, ...end, appender: { by: "owner" } }));
    }
  }

  for (const name of RUNS) await change(first, name, createRule({ ...name, metadata: "1" }));
  const workers = stores.flatMap((store, at) => [
    createOne(store),
    ...Array.from({ length: WORKERS }, (_, index) =>
      work(store, RUNS[index % RUNS.length] ?? { ownerId: "race", runId: "a" }, `w${at}.${index}`),
    ),
  ]);
  const all = Promise.all(workers);
  // It is awaited at the end.
  all.catch(() => (isOver = true));
  return {
    async until(more) {
      const least = landed.size + more;
      while (landed.size < least && !isOver) await setTimeout(10);
    },
    async stop() {
      isOver = true;
      await all;
      const seen = new Map<string, number>();
      for (const name of RUNS) faults.push(...(await readBack(first, name, seen)));
      for (const [payload, sequence] of landed) {
        if (seen.get(payload) !== sequence) faults.push(`${payload} is not at ${sequence}`);
      }
      return { acknowledged: landed.size, faults };
    },
  };
}

/** Reads a log and checks its sequences, its fences, and that nothing is there twice. */
async function readBack(
  store: RunEventStore,
  name: RunName,
  seen: Map<string, number>,
): Promise<readonly string[]> {
  const faults: string[] = [];
  let fence = 0;
  for (let since = 0; ;) {
    const query = { ...name, since, limit: 500, maxBytes: 4_000_000 };
    const [result] = await insist(() => store.read([query]));
    const events = result?.events ?? [];
    if (events.length === 0) {
      if (result?.head.lastSequence !== since)
        faults.push(`the log of ${name.runId} ends at ${since}`);
      return faults;
    }
    for (const { sequence, payload } of events) {
      if (sequence !== since + 1) faults.push(`${sequence} after ${since}`);
      since = sequence;
      const text = JSON.parse(payload) as string;
      if (seen.has(text)) faults.push(`${text} twice`);
      seen.set(text, sequence);
      const its = Number(text.split(" ")[0]);
      if (its !== 0 && its < fence) faults.push(`the fence ${its} after ${fence}`);
      if (its !== 0) fence = its;
    }
  }
}
