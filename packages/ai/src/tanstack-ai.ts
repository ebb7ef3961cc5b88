export type {
  RunEventsStream,
  RunEventsStreamInit,
  RunEventsStreamOptions,
} from "./tanstack-ai/stream.ts";
export { runEventsStream } from "./tanstack-ai/stream.ts";
