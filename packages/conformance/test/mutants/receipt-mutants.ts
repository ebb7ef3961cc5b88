import { nameKey, type RunEventStore, type Seen } from "@tm/run-events-core/store";
import type { NewReceipt } from "../../../core/src/rules/decision.ts";
import type { KeptReceipt } from "../../../core/src/rules/judge-append.ts";
import { headOf, mapChanges } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** A store that shows decisions other receipts. */
function mapReceipts(
  change: (receipt: KeptReceipt, seen: Seen, key: string) => KeptReceipt | null,
): (data: RunEventStore) => RunEventStore {
  return (data) => ({
    ...data,
    ...mapChanges(data, {
      see: (seen) => ({
        ...seen,
        receipts: new Map(
          [...seen.receipts].flatMap(([key, receipt]) => {
            const shown = change(receipt, seen, key);
            return shown === null ? [] : [[key, shown] as const];
          }),
        ),
      }),
    }),
  });
}

/** A store that shows each run also the receipts of others whose names have the same `shapeOf`. */
function shared(
  shapeOf: (name: { readonly ownerId: string; readonly runId: string }, key: string) => string,
): (data: RunEventStore) => RunEventStore {
  return (data) => {
    const receipts = new Map<string, KeptReceipt>();
    function keep(
      name: { readonly ownerId: string; readonly runId: string },
      { idempotencyKey, ...receipt }: NewReceipt,
      events: KeptReceipt["events"],
    ): void {
      const id = shapeOf(name, idempotencyKey);
      if (!receipts.has(id)) receipts.set(id, { ...receipt, events });
    }
    return {
      ...data,
      async append(plains) {
        const landings = await data.append(plains);
        plains.forEach((plain, at) => {
          const { idempotencyKey, events } = plain;
          const landing = landings[at] ?? null;
          if (idempotencyKey !== null && landing !== null) {
            keep(plain, { idempotencyKey, ...landing }, events);
          }
        });
        return landings;
      },
      ...mapChanges(data, {
        see(seen, change) {
          const found = new Map(seen.receipts);
          for (const key of change.keys ?? []) {
            const known = receipts.get(shapeOf(change, key));
            if (known !== undefined && !found.has(key)) found.set(key, known);
          }
          return { ...seen, receipts: found };
        },
        commit(decision, { head }, change) {
          const { receipts: made = [], events = [] } = decision;
          for (const one of made) {
            const from = one.firstSequence - (head?.lastSequence ?? 0) - 1;
            const count = one.lastSequence - one.firstSequence + 1;
            keep(change, one, events.slice(from, from + count));
          }
          return decision;
        },
      }),
    };
  };
}

/** Stores that show a decision wrong receipts, so that it takes for one what is two. */
export const receiptMutants: readonly Mutant[] = [
  {
    name: "shows the payloads of a receipt's events cut at 4 KiB",
    clause: "S5",
    data: mapReceipts(({ events, ...receipt }) => ({
      ...receipt,
      events: events.map(({ eventType, payload }) => ({
        eventType,
        payload: payload.slice(0, 4_096),
      })),
    })),
  },
  {
    name: "shows receipts with the phase that the run has now",
    clause: "S5",
    data: mapReceipts((receipt, { head }) => ({ ...receipt, phase: head?.phase ?? null })),
  },
  {
    name: "shows receipts with the status that the run has now",
    clause: "S5",
    data: mapReceipts((receipt, { head }) => ({
      ...receipt,
      runStatus: head?.runStatus ?? "queued",
    })),
  },
  {
    name: "shows the receipts of a run's newest 128 events alone",
    clause: "S5",
    data: mapReceipts((receipt, { head }) =>
      receipt.lastSequence > (head?.lastSequence ?? 0) - 128 ? receipt : null,
    ),
  },
  {
    name: "keeps the receipts of all runs under run id, hyphen and key",
    clause: "S8",
    data: shared(({ runId, ownerId }, key) => `${ownerId} ${runId}-${key}`),
  },
  {
    name: "keeps the receipts of all owners' runs of an id in one place",
    clause: "S16",
    data: shared(({ runId }, key) => `${runId} ${key}`),
  },
  {
    name: "sees receipts as they were before a plain append that landed while it looked",
    clause: "S4",
    data(data) {
      const old = new Map<string, number>();
      return {
        ...data,
        async append(plains) {
          for (const plain of plains) {
            const { lastSequence = 0 } = (await headOf(data, plain)) ?? {};
            old.set(nameKey(plain), lastSequence);
          }
          return data.append(plains);
        },
        ...mapChanges(data, {
          see(seen, change) {
            const until = old.get(nameKey(change)) ?? 0;
            const known = [...seen.receipts].filter(([, one]) => one.lastSequence <= until);
            return { ...seen, receipts: new Map(known) };
          },
        }),
      };
    },
  },
];
