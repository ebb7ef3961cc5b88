import type { Change, Head, RunEventStore, RunName } from "@tm/run-events-core/store";
import type { Decision } from "../../core/src/rules/decision.ts";

/** What a change has written of one run, as data, so that it can be written elsewhere. */
export interface WrittenRun extends RunName, Pick<Decision<unknown>, "events" | "receipts"> {
  readonly isNew: boolean;
  readonly after: Head | null;
}

/** Changes runs. @returns the answers, and what was written */
export async function changeAndTell<Answer>(
  store: Pick<RunEventStore, "change">,
  changes: readonly Change<Answer>[],
): Promise<{ readonly answers: readonly Answer[]; readonly written: readonly WrittenRun[] }> {
  const written = new Map<Change<Answer>, WrittenRun>();
  const answers = await store.change(
    changes.map((change) => ({
      ...change,
      decide(seen) {
        const { answer, ...decision } = change.decide(seen);
        const { after } = decision;
        const { ownerId, runId } = change;
        // What is decided last is what is written.
        if (after === undefined) written.delete(change);
        else written.set(change, { ownerId, runId, isNew: seen.head === null, ...decision, after });
        return { answer, ...decision };
      },
    })),
  );
  return { answers, written: changes.flatMap((change) => written.get(change) ?? []) };
}

/** Writes the same to a store. */
export async function writeAgain(
  store: Pick<RunEventStore, "change">,
  written: readonly WrittenRun[],
): Promise<void> {
  await store.change(
    written.map((one) => {
      const { ownerId, runId, isNew: _, ...decision } = one;
      return { ownerId, runId, decide: () => ({ answer: null, ...decision }) };
    }),
  );
}
