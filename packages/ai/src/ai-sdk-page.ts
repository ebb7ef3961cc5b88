export type { ChatStanding, WatchedChat } from "./ai-sdk/page/chat-watch.ts";
export type { RunChatTransportOptions } from "./ai-sdk/page/run-chat-transport.ts";
export { RunChatTransport } from "./ai-sdk/page/run-chat-transport.ts";
