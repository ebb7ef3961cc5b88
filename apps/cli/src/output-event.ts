import { isUtf8 } from "node:buffer";
import type { EventDraft } from "@tm/run-events-core";
import type { Piece } from "./line-cutter.ts";

/**
 * The most bytes of output in one event. JSON escapes make at most six bytes of one, and base64 adds a third, so that a payload stays below
 * the wire's 256 KiB, for any bytes.
 * @see clause W9 in `WIRE.md`
 */
export const MAX_PIECE_BYTES = 32_768;

/** The type of a line's event: the output that the line comes from. */
export type OutputType = "STDOUT" | "STDERR";

/**
 * Creates an encoder that makes events of one output's pieces, with a payload `{line}`. `continues` is set if the next event continues
 * the line. `base64` is added if the bytes are not UTF-8. A whole line `::group::NAME` on standard output becomes `PHASE_STARTED`.
 */
export function createOutputEncoder(eventType: OutputType): (piece: Piece) => EventDraft {
  let isLineStart = true;
  return ({ bytes, continues }) => {
    const isWhole = isLineStart && !continues;
    isLineStart = !continues;
    const line = bytes.toString();
    const phase =
      eventType === "STDOUT" && isWhole ? /^::group::(.*\S)\s*$/.exec(line)?.[1] : undefined;
    if (phase !== undefined) return { eventType: "PHASE_STARTED", payload: { phase } };
    return {
      eventType,
      payload: {
        line,
        ...(isUtf8(bytes) ? {} : { base64: bytes.toString("base64") }),
        ...(continues ? { continues } : {}),
      },
    };
  };
}
