export type { HandlerOptions, HandlerStats } from "./service/options.ts";
export { answerInTurn } from "./node/answer-in-turn.ts";
export type { NodeHandler } from "./node/node-handler.ts";
export { createNodeHandler } from "./node/node-handler.ts";
