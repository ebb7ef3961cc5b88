import {
  type Head,
  nameKey,
  type Plain,
  type PlainLanding,
  type RunEventStore,
} from "@tm/run-events-core/store";
import { headAfterPlain, landingOf, takesPlain } from "../../../core/src/rules/append-rule.ts";
import { headOf, mapHeads, mapPlains, plainAlone, plainsEach } from "./inner-store.ts";
import type { DataFault, Faults } from "./mutant.ts";
import { turns } from "./turns.ts";

/** Checks a plain append by the head, and writes it some turns later, with the conditions that `loosen` changes. */
function checksEarly(loosen: (plain: Plain, head: Head | null) => Partial<Plain>): DataFault {
  return (data) =>
    plainsEach(async (plain) => {
      if (!takesPlain(await headOf(data, plain), plain, Date.now())) return null;
      await turns(4);
      return plainAlone(data, { ...plain, ...loosen(plain, await headOf(data, plain)) });
    });
}

/** Changes the answer about where a plain append landed. */
function answers(
  answer: (
    landing: PlainLanding,
    before: Head | null,
    headNow: () => Promise<Head | null>,
  ) => PlainLanding | Promise<PlainLanding>,
): DataFault {
  return (data) =>
    plainsEach(async (plain) => {
      const before = await headOf(data, plain);
      const landing = await plainAlone(data, plain);
      return landing && answer(landing, before, () => headOf(data, plain));
    });
}

const isRenewal = ({ events }: Plain): boolean => events.length === 0;

/** Stores whose plain appends are not whole, not in order, get lost, or land where they should not. */
export const plainFaults: Faults = {
  "S4 checks the expected sequence of a plain append some turns before it writes": checksEarly(
    () => ({ expectedSequence: null }),
  ),
  "S5 checks the fence of a plain append some turns before it writes": checksEarly((_, head) => ({
    fence: head?.leaseExpiresAtMs == null ? null : head.fence,
  })),
  "S2 takes a plain append of a run after one that it did not take": (data) =>
    plainsEach((plain) => plainAlone(data, plain)),
  "S2 takes a key that comes twice in one call for a new one": (data) => ({
    append(plains) {
      const isKnown = isRepeated();
      return data.append(
        plains.map((plain) => (isKnown(plain) ? { ...plain, idempotencyKey: null } : plain)),
      );
    },
  }),
  "S7 does not keep the key of a plain append"(data) {
    const isKnown = isRepeated();
    return mapPlains(data, (plain) =>
      isKnown(plain) ? plain : { ...plain, idempotencyKey: null },
    );
  },
  "S21 acknowledges a renewal and does not write it": (data) =>
    plainsEach(async (plain) => {
      const head = isRenewal(plain) ? await headOf(data, plain) : null;
      return takesPlain(head, plain, Date.now())
        ? landingOf(headAfterPlain(head, plain, Date.now()), plain)
        : plainAlone(data, plain);
    }),
  "S21 counts a renewal as an event of the run": (data) =>
    overlaid(data, (plain, { updatedAtMs }) =>
      isRenewal(plain) ? { updatedAtMs: updatedAtMs + 1 } : null,
    ),
  "S5 takes the first phase of a plain append that starts two": (data) =>
    overlaid(data, ({ events }) => {
      const [first, ...others] = events.flatMap(({ phase }) => phase ?? []);
      return first !== undefined && others.length > 0 ? { phase: first } : null;
    }),
  "S5 answers a plain append with the phase of before": answers((landing, before) => ({
    ...landing,
    phase: before?.phase ?? null,
  })),
  "S4 answers a plain append with the head of some turns after it landed": answers(
    async (landing, _, headNow) => {
      await turns(3);
      const { runStatus, phase } = (await headNow()) ?? landing;
      return { ...landing, runStatus, phase };
    },
  ),
  "S4 takes the plain appends of a call in reverse while another call is under way"(data) {
    let underWay = 0;
    return {
      async append(plains) {
        underWay += 1;
        const isRaced = underWay > 1;
        await turns(1);
        const landings = await data.append(isRaced ? plains.toReversed() : plains);
        underWay -= 1;
        return isRaced ? landings.toReversed() : landings;
      },
    };
  },
};

/** Returns a function that knows whether a run had the same key before. */
function isRepeated(): (plain: Plain) => boolean {
  const known = new Set<string>();
  return (plain) => {
    const key = `${nameKey(plain)} ${plain.idempotencyKey}`;
    const isKnown = known.has(key);
    known.add(key);
    return isKnown;
  };
}

/** Leaves something else in the head after a plain append, until a change saves it. */
function overlaid(
  data: RunEventStore,
  leave: (plain: Plain, after: Head) => Partial<Head> | null,
): Partial<RunEventStore> {
  /** The wrong members of a head, by the run and the revision at which they show. */
  const wrong = new Map<string, Partial<Head>>();
  return {
    ...mapHeads(data, (head) => ({
      ...head,
      ...wrong.get(`${nameKey(head)} ${head.revision}`),
    })),
    ...plainsEach(async (plain) => {
      const landing = await plainAlone(data, plain);
      const after = landing && (await headOf(data, plain));
      const part = after && leave(plain, after);
      if (part) wrong.set(`${nameKey(plain)} ${after.revision}`, part);
      return landing;
    }),
  };
}
