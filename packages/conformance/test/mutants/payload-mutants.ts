import { mapPages, mapRecords, type Mutant } from "./mutant.ts";

/** A mutant that keeps everything but the text of payloads. */
function payloadMutant(name: string, rewrite: (text: string) => string): Mutant {
  return {
    name,
    clause: "S8",
    data: (data) => ({
      ...data,
      ...mapPages(data, (page) => ({
        ...page,
        events: page.events.map((event) => ({ ...event, payload: rewrite(event.payload) })),
      })),
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
  {
    name: "parses and writes metadata again",
    clause: "S8",
    data: (data) => ({
      ...data,
      ...mapRecords(data, (run) => ({ ...run, metadata: reserialise(run.metadata) })),
    }),
  },
];
