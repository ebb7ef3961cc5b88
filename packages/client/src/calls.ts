import type { CallOptions } from "./http/retrying.ts";
import type { Call } from "./http/run-calls.ts";
import { createServer, type ServerOptions } from "./http/server.ts";

export type { Check, Shape } from "./http/fits.ts";
export type { CallOptions } from "./http/retrying.ts";
export type { Call, Read } from "./http/run-calls.ts";
export { isText } from "./http/fits.ts";
export { toError } from "./http/server-errors.ts";
export { CALL_PATIENCE_MS } from "./http/retrying.ts";

/**
 * Makes one call, and makes it again while the server does not answer. Use it only for calls that may be repeated.
 * @returns the result of the call's `read`, or the answer's JSON without it
 * @throws RunEventsError the refusal of the server, or `store_unavailable` once `patienceMs` is over
 * @throws the signal's reason
 */
export async function askServer<T>(
  options: ServerOptions,
  call: Call,
  how: CallOptions,
): Promise<T> {
  return createServer(options).ask(call, how);
}
