import { createResumableStreamContext } from "../../src/resumable-stream.ts";
import { openUrl } from "../stores.ts";
import { createTextSource } from "../text-source.ts";

// Makes a stream that does not end by itself, and says what becomes of it.
const [, , url = "", keyPrefix = "", leaseMs] = process.argv;
const { runs } = await openUrl(url);
const { stream, write, cancelled } = createTextSource();
const streams = createResumableStreamContext({ runs, keyPrefix, leaseMs: Number(leaseMs) });
await streams.createNewResumableStream("a", () => stream);
write("half an ");
process.send?.("made");
await cancelled;
process.send?.("cancelled");
await runs.close();
process.exit();
