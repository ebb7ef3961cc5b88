export type {
  MakeStream,
  ResumableStreamContext,
  ResumableStreamContextOptions,
} from "./resumable-stream/context.ts";
export { createResumableStreamContext } from "./resumable-stream/context.ts";
