export type { Authenticate, Identity } from "./identity.ts";
export type { Reply } from "./exchange.ts";
export type { HandlerOptions, HandlerStats } from "./service.ts";
export type { Handler } from "./handler.ts";
export { createHandler } from "./handler.ts";
export { corsHeaders, isForeignOrigin, isPreflight, preflightReply } from "./origin.ts";
export { methodNotAllowed, problemOf } from "./problem.ts";
export { openApiDocument } from "./openapi.ts";
