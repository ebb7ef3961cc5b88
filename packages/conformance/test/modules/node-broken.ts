import { testEventStore } from "@tm/run-events-conformance/node";
import { conformance } from "./broken.ts";

testEventStore(await conformance());
