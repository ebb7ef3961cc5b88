export type { Check, Shape } from "./http/fits.ts";
export type { CallOptions } from "./http/retrying.ts";
export type { Call, Read } from "./http/run-calls.ts";
export { askServer } from "./http/ask-server.ts";
export { isText } from "./http/fits.ts";
export { toError } from "./http/server-errors.ts";
export { CALL_PATIENCE_MS } from "./http/retrying.ts";
