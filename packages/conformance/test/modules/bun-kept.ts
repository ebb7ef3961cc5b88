import { testEventStore } from "@tm/run-events-conformance/bun";
import { conformance } from "./kept.ts";

testEventStore(conformance);
