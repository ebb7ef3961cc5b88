import { RunEventsError } from "@tm/run-events-core";
import { mapChanges, mapEvents, mapHeads, mapReads } from "./inner-store.ts";
import type { DataFault, Faults } from "./mutant.ts";

/** Keeps events with another text as their payload. */
function payloads(rewrite: (text: string) => string): DataFault {
  return (data) => mapEvents(data, (event) => ({ ...event, payload: rewrite(event.payload) }));
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

function checkDepth(events: readonly { readonly payload: string }[] = []): void {
  if (events.some(({ payload }) => depthOf(payload) > 1_000)) {
    throw new RunEventsError("store_unavailable", "stack depth limit exceeded");
  }
}

/** Stores that tidy up JSON text. */
export const payloadFaults: Faults = {
  "S8 parses and writes payloads again": payloads(reserialise),
  "S8 sorts the keys of payloads": payloads((text) =>
    // Only what sorting alone changes: anything that parsing changes as well is left as it is.
    reserialise(text) === text ? JSON.stringify(sortKeys(JSON.parse(text))) : text,
  ),
  "S8 drops NUL escapes": payloads((text) => text.replaceAll("\\u0000", "")),
  "S8 replaces lone surrogates": payloads((text) =>
    text.replaceAll(/\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g, "\u{fffd}"),
  ),
  "S8 cuts payloads at 64 KiB": payloads((text) => text.slice(0, 65_536)),
  "S8 reads a key that comes twice once": payloads((text) =>
    text.includes('"a":') ? text.replace(/"a":null,(?="a")/, "") : text,
  ),
  "S8 rounds integers beyond 2^53 and nothing else": payloads((text) =>
    text.replaceAll(/(?<=[[:,]|^)\d{16,}(?=[\],}]|$)/g, (digits) => String(BigInt(Number(digits)))),
  ),
  "S8 writes -0 as 0": payloads((text) => text.replaceAll(/-0(?=[\],}]|$)/g, "0")),
  "S8 makes null of a number beyond a double": payloads((text) =>
    text.replaceAll(/-?1[eE]400/g, "null"),
  ),
  "S8 drops `__proto__`": payloads((text) => text.replaceAll(/"__proto__":/g, '"proto":')),
  "S8 escapes line separators": payloads((text) => text.replaceAll("\u2028", "\\u2028")),
  "S8 writes escapes in lower case": payloads((text) =>
    text.replaceAll(/\\u[0-9A-F]{4}/g, (escape) => escape.toLowerCase()),
  ),
  "S8 cuts payloads at 512 KiB": payloads((text) => text.slice(0, 524_288)),
  "S8 loses the order of more than 1,000 keys": payloads((text) => {
    const members = text.startsWith('{"9999":') ? text.slice(1, -1).split(",") : null;
    return members === null ? text : `{${members.toSorted().join(",")}}`;
  }),
  "S8 refuses what is nested more than 1,000 levels deep": (data) => ({
    async append(plains) {
      checkDepth(plains.flatMap(({ events }) => events));
      return data.append(plains);
    },
    ...mapChanges(data, {
      commit(decision) {
        checkDepth(decision.events);
        return decision;
      },
    }),
  }),
  "S8 makes the same phase of all lone surrogates": (data) =>
    mapHeads(data, (head) => ({
      ...head,
      phase: head.phase?.replaceAll(/\\ud[89a-f][0-9a-f]{2}/g, "\\ufffd") ?? null,
    })),
  "S8 parses and writes metadata again": (data) =>
    mapReads(data, ({ head: { metadata, ...head }, events }) => ({
      head: metadata === undefined ? head : { ...head, metadata: reserialise(metadata) },
      events,
    })),
};
