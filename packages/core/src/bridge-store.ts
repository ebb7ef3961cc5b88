export * from "./index-store.ts";
export { foldEvents } from "./rules/lifecycle.ts";
