import { bounds } from "@tm/run-events-core/wire";
import type { Call } from "./route.ts";

/** From this size on, in bytes, a body takes turns, since its parsing blocks the event loop. */
const LARGE_BYTES = 16_384;

/**
 * Reads the JSON body of a request. It is read before it takes a turn, since the client may go meanwhile, and an unread body would then be lost.
 * @returns as `bounds.decodeJson`
 * @throws RunEventsError as `bounds.readJsonBytes`, `bounds.decodeJson`
 * @see clause W49 in `WIRE.md`
 */
export async function readBody(call: Call): Promise<string | null> {
  const { context, exchange, holding } = call;
  const bytes = await bounds.readJsonBytes(exchange, { maxBytes: context.maxBodyBytes, holding });
  if (bytes.length < LARGE_BYTES) return bounds.decodeJson(bytes);
  await call.takeTurn("large");
  const text = bounds.decodeJson(bytes);
  // The route cuts the text, which takes as long as to parse it.
  await call.takeTurn("large");
  return text;
}
