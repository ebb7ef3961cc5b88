import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Seen } from "../src/rules/decision.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { type Head, nameKey, type RunName } from "../src/rules/head.ts";
import { landOnce } from "../src/rules/land-once.ts";
import { createRule } from "../src/rules/run-rules.ts";
import { type CompareAndSet, decideChanges, decideOnce } from "../src/store/decide-changes.ts";
import type { Change } from "../src/store/store.ts";
import { newId } from "./one-run.ts";
import { RUN } from "./run-writes.ts";

/** Heads that are compared and set, and what the others do before each commit. */
class Heads implements CompareAndSet {
  readonly heads = new Map<string, Head>();
  /** The number of commits so far. */
  commits = 0;
  before: (commit: number) => void = () => {};

  readonly see: CompareAndSet["see"] = async (changes) =>
    changes.map((name): Seen => {
      const head = this.heads.get(nameKey(name)) ?? null;
      return { head, receipts: new Map(), holder: null, nowMs: 1_000, ordinal: 1 };
    });

  readonly commit: CompareAndSet["commit"] = async (commits) => {
    this.commits += 1;
    this.before(this.commits);
    return commits.map(({ seen, decision }) => {
      const { after } = decision;
      const name = after ?? seen.head;
      if (name === null) return false;
      const isSame = this.heads.get(nameKey(name)) === (seen.head ?? undefined);
      if (isSame && after !== null) this.heads.set(nameKey(after), after);
      return isSame;
    });
  };

  /** Another client writes to the run. */
  touch(name: RunName): void {
    const head = this.heads.get(nameKey(name));
    if (head === undefined) return;
    this.heads.set(nameKey(name), { ...head, revision: head.revision + 1 });
  }
}

/** Counts: each commit adds one to the run's last sequence. */
function add(name: RunName): Change<number> {
  return {
    ...name,
    decide({ head }) {
      if (head === null) return { answer: 0 };
      const lastSequence = head.lastSequence + 1;
      const after = { ...head, lastSequence, revision: head.revision + 1 };
      return { answer: lastSequence, after };
    },
  };
}

const NAMES = ["a", "b", "c"].map((runId): RunName => ({ ...RUN, runId }));

async function openWith(names: readonly RunName[]): Promise<Heads> {
  const heads = new Heads();
  const changes = names.map((name) => ({
    ...name,
    decide: landOnce(createRule({ ...name, metadata: "1" }), newId),
  }));
  await decideChanges(changes, (left) => decideOnce(left, heads));
  heads.commits = 0;
  return heads;
}

describe("decideChanges", () => {
  it("S21: each decision that writes is committed once, over what it has seen, however often others come between", async () => {
    const touched = fc.array(fc.subarray(NAMES), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(touched, fc.subarray(NAMES), async (others, existing) => {
        const heads = await openWith(existing);
        heads.before = (commit) => {
          for (const name of others[commit - 1] ?? []) heads.touch(name);
        };
        const rounds: number[] = [];
        const answers = await decideChanges(NAMES.map(add), (left, round) => {
          if (round > 1) rounds.push(round);
          return decideOnce(left, heads);
        });
        expect(answers).toEqual(NAMES.map((name) => (existing.includes(name) ? 1 : 0)));
        for (const name of existing) {
          expect(heads.heads.get(nameKey(name))?.lastSequence).toBe(1);
        }
        const more = Math.max(0, heads.commits - 1);
        expect(rounds).toEqual(Array.from({ length: more }, (_, at) => at + 2));
      }),
    );
  });

  it("S7, S20: a failure is thrown as it is, and is in doubt once something was committed", async () => {
    const failure = new RunEventsError("store_unavailable", "down");
    const names = NAMES.slice(0, 2);
    for (const [failing, ambiguous] of [
      [1, false],
      [2, true],
    ] as const) {
      const heads = await openWith(names);
      heads.before = (commit) => {
        if (commit === failing) throw failure;
        for (const name of names.slice(1)) heads.touch(name);
      };
      const call = decideChanges(names.map(add), (left) => decideOnce(left, heads));
      await expect(call).rejects.toMatchObject({ code: "store_unavailable", ambiguous });
    }
  });

  it("S12: a round that throws ends the call", async () => {
    const heads = await openWith(NAMES);
    heads.before = () => NAMES.forEach((name) => heads.touch(name));
    const enough = new RunEventsError("store_unavailable", "Met others for too long.");
    const call = decideChanges(NAMES.map(add), async (left, round) => {
      if (round === 5) throw enough;
      return decideOnce(left, heads);
    });
    await expect(call).rejects.toBe(enough);
    expect(heads.commits).toBe(4);
  });
});
