import { createMemoryStore } from "../../../core/src/store/memory.ts";
import { bridge } from "./bridge.ts";
import { judge } from "./judge.ts";
await judge(
  "memory",
  () => bridge(createMemoryStore()),
  {},
  process.argv[2] ? new RegExp(process.argv[2]) : undefined,
);
