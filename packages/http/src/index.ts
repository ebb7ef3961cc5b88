export type { Authenticate, Identity } from "./access/identity.ts";
export type { Reply } from "./exchange/exchange.ts";
export type { Drainable, HandlerOptions, HandlerStats } from "./service/options.ts";
export type { Handler } from "./fetch/handler.ts";
export { createHandler } from "./fetch/handler.ts";
export { isForeignOrigin } from "@tm/run-events-core/wire";
export { problemOf } from "./exchange/problem.ts";
export { openApiDocument } from "./routes/table.ts";
