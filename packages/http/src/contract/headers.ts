import { describeValue, requests } from "@tm/run-events-core/wire";
import { headerParameter, invalidRequest, type Parameter } from "./parameter.ts";

/**
 * The key under which a request may be sent again.
 * @param description what such a repetition gets
 * @see clauses W10, W31 and W36 in `WIRE.md`
 */
export function keyHeader(description: string): Parameter<string | undefined> {
  const schema = { type: "string", pattern: "^[\\x20-\\x7e]{1,128}$" };
  // The log checks it.
  return headerParameter("Idempotency-Key", description, schema, (text) => text ?? undefined);
}

/** @see clause W32 in `WIRE.md` */
export const FENCE: Parameter<number | undefined> = headerParameter(
  "Run-Fence",
  "The fence of the caller's lease; needed on a claimed run (W32).",
  { type: "string", pattern: "^[1-9]\\d{0,15}$" },
  (text) => {
    if (text === null) return undefined;
    const fence = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(fence)) return fence;
    throw invalidRequest(
      `Expected \`Run-Fence\` to be a positive integer, got ${describeValue(text)}. Send the fence that the claim returned.`,
    );
  },
);

/** @see clause W18 in `WIRE.md` */
export const IF_NONE_MATCH: Parameter<string | null> = headerParameter(
  "If-None-Match",
  "Tags of pages that the reader has. Ignored with `wait`.",
  { type: "string" },
  (text) => text,
);

/** A malformed one is ignored: a refusal would end an EventSource for good. @see clause W20 in `WIRE.md` */
export const LAST_EVENT_ID: Parameter<number | null> = headerParameter(
  "Last-Event-ID",
  "Wins over `since`, `at` and `tail`; ignored if it is not a cursor.",
  { type: "string" },
  (text) => requests.parseCursor(text ?? ""),
);
