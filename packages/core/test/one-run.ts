import type { Decision, NewReceipt, Rule, Seen } from "../src/rules/decision.ts";
import type { NewEvent } from "../src/rules/event.ts";
import { type Head, type Run, type RunName, runOf } from "../src/rules/head.ts";
import type { KeptReceipt } from "../src/rules/judge-append.ts";
import { landOnce } from "../src/rules/land-once.ts";
import type { FenceOf, Program } from "./decision-arbitraries.ts";

let ids = 0;
/** Makes the ids of commits. */
export const newId = (): string => `id-${(ids += 1)}`;

/** One run, kept as a store would keep it. */
export class OneRun {
  head: Head | null = null;
  /** Another live run of the topic. */
  holder: RunName | null = null;
  readonly events: (NewEvent & { readonly atMs: number })[] = [];
  readonly receipts: Map<string, NewReceipt> = new Map();
  #ordinal = 0;

  see(nowMs: number): Seen {
    const receipts = new Map<string, KeptReceipt>();
    for (const [key, receipt] of this.receipts) {
      const events = this.events.slice(receipt.firstSequence - 1, receipt.lastSequence);
      receipts.set(key, { ...receipt, events });
    }
    const { head, holder } = this;
    return { head, receipts, holder, nowMs, ordinal: this.#ordinal + 1 };
  }

  /** The view of a rule. */
  seeRun(nowMs: number): Seen<Run> {
    return { ...this.see(nowMs), head: this.head === null ? null : runOf(this.head) };
  }

  save({ after, events = [], receipts = [] }: Decision<unknown>): void {
    if (after === undefined) return;
    if (after === null) {
      this.events.length = 0;
      this.receipts.clear();
    } else {
      this.#ordinal = Math.max(this.#ordinal, after.ordinal);
      for (const event of events) this.events.push({ ...event, atMs: after.updatedAtMs });
      for (const receipt of receipts) this.receipts.set(receipt.idempotencyKey, receipt);
    }
    this.head = after;
  }

  decide<Answer>(rule: Rule<Answer>, nowMs: number): Answer {
    const decision = landOnce(rule, newId)(this.see(nowMs));
    this.save(decision);
    return decision.answer;
  }

  /** The current fence, or one that never was. */
  get fenceOf(): FenceOf {
    return (nth) => (nth > 0 ? (this.head?.fence ?? 1) : 7);
  }
}

/**
 * Runs a program.
 * @param look called after each step, with its time
 */
export function play(
  program: Program,
  look: (run: OneRun, nowMs: number) => void = () => {},
): OneRun {
  const run = new OneRun();
  let nowMs = 100;
  for (const [passed, step] of program) {
    nowMs += passed;
    run.decide(step(run.fenceOf), nowMs);
    look(run, nowMs);
  }
  return run;
}
