import { testEventStore } from "@tm/run-events-conformance/node";
import { conformance } from "./kept.ts";

testEventStore(conformance);
