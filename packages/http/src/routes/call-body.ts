import { type JsonBody, parseJson, readJsonBytes, type WorkSize } from "@tm/run-events-core/wire";
import type { Call } from "./route.ts";

/** From this size on, in bytes, a body waits for a turn, since its parsing blocks the event loop. */
const LARGE_BYTES = 16_384;
/** From this size on, in bytes, the work with the body also waits for a turn. */
const ALONE_BYTES = 1_048_576;

/**
 * Reads the JSON body of a request that is separate work for the store, and parses it in the owner's turn. The body is read before
 * the turn, since the client may go while the request waits, and an unread body would then be lost.
 * @throws RunEventsError as `readJsonBytes`, `parseJson`
 * @see clause W49 in `WIRE.md`
 */
export function readBody(call: Call): Promise<JsonBody> {
  return withBody(call, async (body) => body, "short");
}

/**
 * Reads a body and does the work with it. Of an owner's largest bodies one at a time is parsed and worked on. So requests of other
 * owners come in between, and only one of those bodies is in memory as a value.
 * @param least the turn that a body takes if it is not large; `null` if it takes none
 * @throws RunEventsError as `readBody`; what the work throws
 * @see clause W49 in `WIRE.md`
 */
export async function withBody<Result>(
  call: Call,
  work: (body: JsonBody) => Promise<Result>,
  least: WorkSize | null = null,
): Promise<Result> {
  const { context, exchange, holding } = call;
  const bytes = await readJsonBytes(exchange, { maxBytes: context.maxBodyBytes, holding });
  if (bytes.length < LARGE_BYTES) {
    if (least !== null) await call.takeTurn(least);
    return call.goShort(() => work(parseJson(bytes)));
  }
  if (bytes.length < ALONE_BYTES) {
    await call.takeTurn("large");
    return work(parseJson(bytes));
  }
  return call.goAlone(async () => {
    await call.takeTurn("largest");
    const body = parseJson(bytes);
    // Parsing and the work have a turn each: a short request that comes during the first is answered before the second.
    await call.takeTurn("largest");
    return work(body);
  });
}
