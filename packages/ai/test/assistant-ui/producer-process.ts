import { createRunEventsResumableStreamStore } from "../../src/assistant-ui.ts";
import { openUrl } from "../stores.ts";
import { acquireLease, bytesOf } from "./read-store.ts";

// Produces a stream that it never ends.
const [, , url = "", keyPrefix = ""] = process.argv;
const { runs } = await openUrl(url);
const store = createRunEventsResumableStreamStore({ runs, keyPrefix, leaseMs: 2_000 });
const lease = await acquireLease(store, "a");
await store.append("a", bytesOf("half an "), lease);
process.send?.("made");
