import { testEventStore } from "@tm/run-events-conformance/bun";
import { conformance } from "./broken.ts";

testEventStore(await conformance());
