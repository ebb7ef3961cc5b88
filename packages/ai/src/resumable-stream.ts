export type {
  ResumableStreamContext,
  ResumableStreamContextOptions,
} from "./resumable-stream/context.ts";
export { createResumableStreamContext } from "./resumable-stream/context.ts";
export type { MakeStream } from "./resumable-stream/produce-text.ts";
