import {
  type Head,
  nameKey,
  type Plain,
  type PlainLanding,
  type RunEventStore,
} from "@tm/run-events-core/store";
import { headAfterPlain, landingOf, takesPlain } from "../../../core/src/rules/append-rule.ts";
import { turns } from "./turns.ts";
import { headOf, mapPlains, mapReads, plainAlone, plainsEach } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** A store that checks a plain append by the head, and writes it some turns later, without this part of it. */
function checksEarly(
  loosen: (plain: Plain, head: Head | null) => Partial<Plain>,
): (data: RunEventStore) => RunEventStore {
  return (data) => ({
    ...data,
    ...plainsEach(async (plain) => {
      if (!takesPlain(await headOf(data, plain), plain, Date.now())) return null;
      await turns(4);
      return plainAlone(data, { ...plain, ...loosen(plain, await headOf(data, plain)) });
    }),
  });
}

const isRenewal = ({ events }: Plain): boolean => events.length === 0;

/** Stores whose plain appends are not whole, not in order, get lost, or land where they should not. */
export const plainMutants: readonly Mutant[] = [
  {
    name: "checks the expected sequence of a plain append some turns before it writes",
    clause: "S4",
    data: checksEarly(() => ({ expectedSequence: null })),
  },
  {
    name: "checks the fence of a plain append some turns before it writes",
    clause: "S5",
    data: checksEarly((_, head) => ({
      fence: head?.leaseExpiresAtMs == null ? null : head.fence,
    })),
  },
  {
    name: "takes a plain append of a run after one that it did not take",
    clause: "S2",
    data: (data) => ({ ...data, ...plainsEach((plain) => plainAlone(data, plain)) }),
  },
  {
    name: "takes a key that comes twice in one call for a new one",
    clause: "S2",
    data: (data) => ({
      ...data,
      append(plains) {
        const keys = new Set<string>();
        return data.append(
          plains.map((plain) => {
            const key = `${nameKey(plain)} ${plain.idempotencyKey}`;
            const isKnown = keys.has(key);
            keys.add(key);
            return isKnown ? { ...plain, idempotencyKey: null } : plain;
          }),
        );
      },
    }),
  },
  {
    name: "does not keep the key of a plain append",
    clause: "S7",
    data(data) {
      const kept = new Set<string>();
      const isNew = ({ idempotencyKey, ...name }: Plain): boolean => {
        const key = `${nameKey(name)} ${idempotencyKey}`;
        const isFirst = !kept.has(key);
        kept.add(key);
        return isFirst;
      };
      return {
        ...data,
        ...mapPlains(data, (plain) => (isNew(plain) ? { ...plain, idempotencyKey: null } : plain)),
      };
    },
  },
  {
    name: "acknowledges a renewal and does not write it",
    clause: "S21",
    data: (data) => ({
      ...data,
      ...plainsEach(async (plain) => {
        const head = isRenewal(plain) ? await headOf(data, plain) : null;
        return takesPlain(head, plain, Date.now())
          ? landingOf(headAfterPlain(head, plain, Date.now()), plain)
          : plainAlone(data, plain);
      }),
    }),
  },
  {
    name: "counts a renewal as an event of the run",
    clause: "S21",
    data: (data) =>
      overlaid(data, (_, plain, { updatedAtMs }) =>
        isRenewal(plain) ? { updatedAtMs: updatedAtMs + 1 } : null,
      ),
  },
  {
    name: "takes the first phase of a plain append that starts two",
    clause: "S5",
    data: (data) =>
      overlaid(data, (_, { events }) => {
        const phases = events.flatMap(({ phase }) => phase ?? []);
        return phases.length > 1 ? { phase: phases[0] ?? null } : null;
      }),
  },
  {
    name: "answers a plain append with the phase of before",
    clause: "S5",
    data: (data) => ({
      ...data,
      ...plainsEach(async (plain) => {
        const before = await headOf(data, plain);
        const landing = await plainAlone(data, plain);
        return landing === null ? null : { ...landing, phase: before?.phase ?? null };
      }),
    }),
  },
  {
    name: "answers a plain append with the head of some turns after it landed",
    clause: "S4",
    data: (data) => ({
      ...data,
      ...plainsEach(async (plain) => {
        const landing = await plainAlone(data, plain);
        if (landing === null) return null;
        await turns(3);
        const head = await headOf(data, plain);
        const { runStatus, phase } = head ?? landing;
        return { ...landing, runStatus, phase };
      }),
    }),
  },
];

/** A store in which a plain append leaves something else in the head, until a change saves it. */
function overlaid(
  data: RunEventStore,
  leave: (head: PlainLanding, plain: Plain, after: Head) => Partial<Head> | null,
): RunEventStore {
  /** What is wrong, while the head is at that revision. */
  const wrong = new Map<string, { readonly part: Partial<Head>; readonly revision: number }>();
  const spoil = (head: Head): Head => {
    const kept = wrong.get(nameKey(head));
    return kept?.revision === head.revision ? { ...head, ...kept.part } : head;
  };
  return {
    ...data,
    ...mapReads(data, ({ head, events }) => ({ head: spoil(head), events })),
    list: async (query) => (await data.list(query)).map(spoil),
    ...plainsEach(async (plain) => {
      const landing = await plainAlone(data, plain);
      const after = landing === null ? null : await headOf(data, plain);
      const part = landing !== null && after !== null ? leave(landing, plain, after) : null;
      if (part !== null && after !== null) {
        wrong.set(nameKey(plain), { part, revision: after.revision });
      }
      return landing;
    }),
  };
}
