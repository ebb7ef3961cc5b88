import { testEventStore } from "@tm/run-events-conformance/vitest";
import { createMemoryStore } from "../../../core/src/store/memory.ts";
import { bridge } from "./bridge.ts";

testEventStore({ name: "the memory store", open: () => bridge(createMemoryStore()) });
