export type { RunEventsResumableStreamStoreOptions } from "./assistant-ui/store.ts";
export { createRunEventsResumableStreamStore } from "./assistant-ui/store.ts";
