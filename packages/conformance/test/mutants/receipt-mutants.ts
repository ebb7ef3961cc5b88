import { nameKey, type RunName, type Seen } from "@tm/run-events-core/store";
import type { NewReceipt } from "../../../core/src/rules/decision.ts";
import type { KeptReceipt } from "../../../core/src/rules/judge-append.ts";
import { headOf, mapChanges, mapPlains } from "./inner-store.ts";
import type { DataFault, Faults } from "./mutant.ts";

/** Changes the receipts that decisions see. */
function mapReceipts(change: (receipt: KeptReceipt, seen: Seen) => KeptReceipt | null): DataFault {
  return (data) =>
    mapChanges(data, {
      see: (seen) => ({
        ...seen,
        receipts: new Map(
          [...seen.receipts].flatMap(([key, receipt]) => {
            const shown = change(receipt, seen);
            return shown === null ? [] : [[key, shown] as const];
          }),
        ),
      }),
    });
}

/** Keeps receipts for ever, by `shapeOf`: a run sees those of other runs with the same shape, and of a removed run. */
function keptBy(shapeOf: (name: RunName, key: string) => string): DataFault {
  return (data) => {
    const receipts = new Map<string, KeptReceipt>();
    function keep(
      name: RunName,
      { idempotencyKey, ...receipt }: NewReceipt,
      events: KeptReceipt["events"],
    ): void {
      const id = shapeOf(name, idempotencyKey);
      if (!receipts.has(id)) receipts.set(id, { ...receipt, events });
    }
    return {
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

/** Keeps keys as other texts. */
function withKeys(rewrite: (key: string) => string): DataFault {
  return (data) => ({
    ...mapPlains(data, ({ idempotencyKey, ...plain }) => ({
      ...plain,
      idempotencyKey: idempotencyKey === null ? null : rewrite(idempotencyKey),
    })),
    change(changes) {
      const originals = changes.flatMap(({ keys = [] }) => keys);
      return mapChanges(data, {
        // The decision knows its own keys alone.
        see: (seen) => ({
          ...seen,
          receipts: new Map(
            originals.flatMap((key) => {
              const receipt = seen.receipts.get(rewrite(key));
              return receipt === undefined ? [] : [[key, receipt] as const];
            }),
          ),
        }),
        commit: ({ receipts = [], ...decision }) => ({
          ...decision,
          receipts: receipts.map(({ idempotencyKey, ...receipt }) => ({
            ...receipt,
            idempotencyKey: rewrite(idempotencyKey),
          })),
        }),
      }).change(changes.map(({ keys = [], ...one }) => ({ ...one, keys: keys.map(rewrite) })));
    },
  });
}

/** Stores that show a decision wrong receipts, so that it takes two appends or claims for one. */
export const receiptFaults: Faults = {
  "S5 shows the payloads of a receipt's events cut at 4 KiB": mapReceipts(
    ({ events, ...receipt }) => ({
      ...receipt,
      events: events.map((one) => ({ ...one, payload: one.payload.slice(0, 4_096) })),
    }),
  ),
  "S5 shows receipts with the phase that the run has now": mapReceipts((receipt, { head }) => ({
    ...receipt,
    phase: head?.phase ?? null,
  })),
  "S5 shows receipts with the status that the run has now": mapReceipts((receipt, { head }) => ({
    ...receipt,
    runStatus: head?.runStatus ?? "queued",
  })),
  "S5 shows the receipts of a run's newest 128 events alone": mapReceipts((receipt, { head }) =>
    receipt.lastSequence > (head?.lastSequence ?? 0) - 128 ? receipt : null,
  ),
  "S5 cuts keys at 64 characters": withKeys((key) => key.slice(0, 64)),
  "S5 leaves out a space at the end of a key": withKeys((key) => key.trimEnd()),
  "S5 shows the receipt of more than 200,000 characters with its last event alone": mapReceipts(
    ({ events, ...receipt }) => {
      const isLong = events.reduce((sum, { payload }) => sum + payload.length, 0) > 200_000;
      return isLong
        ? { ...receipt, firstSequence: receipt.lastSequence, events: events.slice(-1) }
        : { ...receipt, events };
    },
  ),
  "S5 takes keys for the same whose letters differ in case alone": withKeys((key) =>
    key.toLowerCase(),
  ),
  "S8 keeps the receipts of all runs under run id, hyphen and key": keptBy(
    ({ runId, ownerId }, key) => `${ownerId} ${runId}-${key}`,
  ),
  "W4 keeps the receipts of all owners' runs of an id in one place": keptBy(
    ({ runId }, key) => `${runId} ${key}`,
  ),
  "S17 leaves the receipts of a removed run": keptBy((name, key) => `${nameKey(name)} ${key}`),
  "S4 sees receipts as they were before a plain append that landed while it looked"(data) {
    const old = new Map<string, number>();
    return {
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
};
