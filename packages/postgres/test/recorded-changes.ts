import { type Change } from "@tm/run-events-core/store";
import { appendOf, createOf } from "@tm/run-events-test-servers/requests";
import type pg from "pg";
import { landOnce } from "../../core/src/rules/land-once.ts";
import { createCommitIds } from "../../core/src/log/own-keys.ts";
import { appendRule } from "../../core/src/rules/append-rule.ts";
import type { AppendOutcome } from "../../core/src/rules/append.ts";
import { COMMIT, type RecordedPool, recordPool, SEE, type SentStatement } from "./recorded-pool.ts";
import { newSchema, openPool, openStore, type RuledStore } from "./stores.ts";

const newId = createCommitIds();
export const RUN_IDS: readonly string[] = ["a", "b", "c"];

/** A change that appends a value. */
export function appending(runId: string, value: unknown): Change<AppendOutcome> {
  const decide = landOnce(appendRule(appendOf(runId, value)), newId);
  return { ownerId: "ada", runId, decide };
}

/** A change that removes a run. */
export function removing(runId: string): Change<void> {
  return { ownerId: "ada", runId, decide: () => ({ answer: undefined, after: null }) };
}

/** Hooks around the statements of a store. */
export interface Hooks {
  beforeSend(statement: SentStatement): Promise<void> | void;
  onAnswer(statement: SentStatement, rows: Record<string, unknown>[]): void;
}

export interface Opened {
  readonly schema: string;
  readonly store: RuledStore;
  /** The pool, which records what the store sends. */
  readonly pool: RecordedPool;
  readonly hooks: Hooks;
  readonly admin: pg.Pool;
}

/** A store with the runs `a`, `b` and `c`. */
export async function openRecorded(url: string, config: pg.PoolConfig = {}): Promise<Opened> {
  const hooks: Hooks = { beforeSend() {}, onAnswer() {} };
  const pool = recordPool(
    openPool(url, config),
    (statement) => hooks.beforeSend(statement),
    (statement, rows) => hooks.onAnswer(statement, rows),
  );
  const schema = newSchema();
  const store = await openStore(pool, { schema });
  for (const runId of RUN_IDS) await store.createRun(createOf(runId));
  return { schema, store, pool, hooks, admin: openPool(url) };
}

/** The steps of the store's changes since a statement. */
export function stepsOf(pool: RecordedPool, from: number): readonly string[] {
  const step = ({ text }: SentStatement): string[] => {
    if (text.includes(SEE)) return ["see"];
    if (text.includes(COMMIT)) return ["commit"];
    if (/^(BEGIN|COMMIT|ROLLBACK)/.test(text)) return [text.replace(/ .*/, "")];
    return text.includes("FOR UPDATE OF r") ? ["lock"] : [];
  };
  return pool.sent.slice(from).flatMap(step);
}

/** The steps of a round, and of one under locks. */
export const OPTIMISTIC: readonly string[] = ["see", "commit"];
export const LOCKED: readonly string[] = ["BEGIN", "lock", "see", "commit", "COMMIT"];
