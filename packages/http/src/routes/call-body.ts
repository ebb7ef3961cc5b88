import { decodeJson, readJsonBytes } from "@tm/run-events-core/wire";
import type { Call } from "./route.ts";

/** From this size on, in bytes, a body takes turns, since its parsing blocks the event loop. */
const LARGE_BYTES = 16_384;

/**
 * Reads the JSON body of a request. It is read before it takes a turn, since the client may go meanwhile, and an unread body would then be lost.
 * @returns as `decodeJson`
 * @throws RunEventsError as `readJsonBytes`, `decodeJson`
 * @see clause W49 in `WIRE.md`
 */
export async function readBody(call: Call): Promise<string | null> {
  const { context, exchange, holding } = call;
  const bytes = await readJsonBytes(exchange, { maxBytes: context.maxBodyBytes, holding });
  if (bytes.length < LARGE_BYTES) return decodeJson(bytes);
  await call.takeTurn("large");
  const text = decodeJson(bytes);
  // The route cuts the text, which takes as long as to parse it.
  await call.takeTurn("large");
  return text;
}
