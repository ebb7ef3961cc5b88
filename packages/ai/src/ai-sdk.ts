export type { Chats } from "./ai-sdk/chats.ts";
export { createChats } from "./ai-sdk/chats.ts";
export type { AnswerRun } from "./ai-sdk/fold-answer.ts";
export type { ChatRoutesOptions } from "./ai-sdk/routes.ts";
export type { Spill, SpilledFile } from "./ai-sdk/spill.ts";
export type {
  Answer,
  AskedMessage,
  ChatPlace,
  ChatsOptions,
  MakeAnswer,
  Question,
} from "./ai-sdk/start-answer.ts";
