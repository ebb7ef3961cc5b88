import { runEventsStream } from "../../src/tanstack-ai.ts";
import { openUrl } from "../stores.ts";
import { textChunk } from "./chunks.ts";

// Produces a run that it never closes.
const [, , url = "", keyPrefix = ""] = process.argv;
const { runs } = await openUrl(url);
const stream = runEventsStream({ runId: "a" }, { runs, keyPrefix, leaseMs: 2_000 });
await stream.append([textChunk("half an ")]);
process.send?.("made");
