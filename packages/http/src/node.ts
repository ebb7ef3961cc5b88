export type {
  Drainable,
  HandlerOptions,
  HandlerStats,
  OwnMethods,
  Within,
} from "./service/options.ts";
export { headerOf } from "./node/header-of.ts";
export type { NodeHandler } from "./node/node-handler.ts";
export { createNodeHandler } from "./node/node-handler.ts";
