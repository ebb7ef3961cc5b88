import { isUtf8 } from "node:buffer";
import type { EventDraft } from "@tm/run-events-core";
import type { Piece } from "./line-cutter.ts";

/**
 * The most bytes of output in one event. JSON escapes make six bytes of one at worst, and base64 adds a third: a payload
 * stays below the wire's 256 KiB whatever the bytes are. @see W9
 */
export const MAX_PIECE_BYTES = 32_768;

/** Which of a command's outputs a line comes from. */
export type OutputType = "STDOUT" | "STDERR";

/**
 * Makes events of one output's pieces: `{line}`, with `continues` where the line goes on in the next event, and with `base64`
 * beside it where the bytes are no UTF-8. A whole line `::group::NAME` on standard output is `PHASE_STARTED` instead.
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
