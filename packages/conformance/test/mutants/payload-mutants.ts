import { RunEventsError } from "@tm/run-events-core";
import { mapChanges, mapEvents, mapHeads, mapPlains, mapReads } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** A mutant that keeps everything but the text of payloads. */
function payloadMutant(name: string, rewrite: (text: string) => string): Mutant {
  return {
    name,
    clause: "S8",
    data: (data) => ({
      ...data,
      ...mapEvents(data, (event) => ({ ...event, payload: rewrite(event.payload) })),
    }),
  };
}

function reserialise(text: string): string {
  return JSON.stringify(JSON.parse(text));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, sortKeys(part)]),
  );
}

/** The most brackets that are open at once; those in strings count as well. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  for (const character of text) {
    if (character === "[" || character === "{") depth += 1;
    else if (character === "]" || character === "}") depth -= 1;
    most = Math.max(most, depth);
  }
  return most;
}

/** Stores that tidy up JSON text. */
export const payloadMutants: readonly Mutant[] = [
  payloadMutant("parses and writes payloads again", reserialise),
  payloadMutant("sorts the keys of payloads", (text) => {
    // Only what sorting alone changes: anything that parsing changes as well is left as it is.
    return reserialise(text) === text ? JSON.stringify(sortKeys(JSON.parse(text))) : text;
  }),
  payloadMutant("drops NUL escapes", (text) => text.replaceAll("\\u0000", "")),
  payloadMutant("replaces lone surrogates", (text) =>
    text.replaceAll(/\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g, "\u{fffd}"),
  ),
  payloadMutant("cuts payloads at 64 KiB", (text) => text.slice(0, 65_536)),
  payloadMutant("reads a key that comes twice once", (text) =>
    text.includes('"a":') ? text.replace(/"a":null,(?="a")/, "") : text,
  ),
  payloadMutant("rounds integers beyond 2^53 and nothing else", (text) =>
    text.replaceAll(/(?<=[[:,]|^)\d{16,}(?=[\],}]|$)/g, (digits) => String(BigInt(Number(digits)))),
  ),
  payloadMutant("writes -0 as 0", (text) => text.replaceAll(/-0(?=[\],}]|$)/g, "0")),
  payloadMutant("makes null of a number beyond a double", (text) =>
    text.replaceAll(/-?1[eE]400/g, "null"),
  ),
  payloadMutant("drops `__proto__`", (text) => text.replaceAll(/"__proto__":/g, '"proto":')),
  payloadMutant("escapes line separators", (text) => text.replaceAll("\u2028", "\\u2028")),
  payloadMutant("writes escapes in lower case", (text) =>
    text.replaceAll(/\\u[0-9A-F]{4}/g, (escape) => escape.toLowerCase()),
  ),
  payloadMutant("cuts payloads at 512 KiB", (text) => text.slice(0, 524_288)),
  payloadMutant("loses the order of more than 1,000 keys", (text) => {
    const members = text.startsWith('{"9999":') ? text.slice(1, -1).split(",") : null;
    return members === null ? text : `{${members.toSorted().join(",")}}`;
  }),
  {
    name: "refuses what is nested more than 1,000 levels deep",
    clause: "S8",
    data(data) {
      function check(events: readonly { readonly payload: string }[]): void {
        if (events.some(({ payload }) => depthOf(payload) > 1_000)) {
          throw new RunEventsError("store_unavailable", "stack depth limit exceeded");
        }
      }
      return {
        ...data,
        async append(plains) {
          check(plains.flatMap(({ events }) => events));
          return data.append(plains);
        },
        ...mapChanges(data, {
          commit(decision) {
            check(decision.events ?? []);
            return decision;
          },
        }),
      };
    },
  },
  {
    name: "makes the same phase of all lone surrogates",
    clause: "S8",
    data: (data) => ({
      ...data,
      ...mapHeads(data, (head) => ({
        ...head,
        phase: head.phase?.replaceAll(/\\ud[89a-f][0-9a-f]{2}/g, "\\ufffd") ?? null,
      })),
    }),
  },
  {
    name: "cuts keys at 64 characters",
    clause: "S5",
    data: withKeys((key) => key.slice(0, 64)),
  },
  {
    name: "takes keys for the same whose letters differ in case alone",
    clause: "S5",
    data: withKeys((key) => key.toLowerCase()),
  },
  {
    name: "parses and writes metadata again",
    clause: "S8",
    data: (data) => ({
      ...data,
      ...mapReads(data, ({ head, events }) => {
        const { metadata } = head;
        const rewritten = metadata === undefined ? {} : { metadata: reserialise(metadata) };
        return { head: { ...head, ...rewritten }, events };
      }),
    }),
  },
  {
    name: "keeps of a run's attributes those alone that it had at its creation",
    clause: "S21",
    data: (data) => ({
      ...data,
      ...mapChanges(data, {
        commit(decision, { head }) {
          const { after } = decision;
          if (after == null || head === null) return decision;
          return { ...decision, after: { ...after, extra: head.extra } };
        },
      }),
    }),
  },
];

/** A store that keeps other keys than it gets. */
function withKeys(rewrite: (key: string) => string): NonNullable<Mutant["data"]> {
  return (data) => ({
    ...data,
    ...mapPlains(data, ({ idempotencyKey, ...plain }) => ({
      ...plain,
      idempotencyKey: idempotencyKey === null ? null : rewrite(idempotencyKey),
    })),
    change: (changes) =>
      mapChanges(data, {
        // The decision knows its own keys alone.
        see: (seen, { keys = [] }) => ({
          ...seen,
          receipts: new Map(
            originalOf(changes, keys).flatMap(([key, kept]) => {
              const receipt = seen.receipts.get(kept);
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
      }).change(changes.map(({ keys = [], ...one }) => ({ ...one, keys: keys.map(rewrite) }))),
  });

  function originalOf(
    changes: readonly { readonly keys?: readonly string[] }[],
    kept: readonly string[],
  ): readonly (readonly [string, string])[] {
    const originals = changes.flatMap(({ keys = [] }) => keys);
    return originals
      .map((key) => [key, rewrite(key)] as const)
      .filter(([, one]) => kept.includes(one));
  }
}
