import { createBareAppendServer } from "./http-append-bare-server.ts";
import { serveHttpAppend } from "./http-append-server.ts";

// Keeps nothing but the number of events that each run was sent.
const sequences = new Map<string, number>();

serveHttpAppend(
  createBareAppendServer((path, { events }, answer) => {
    const sequence = (sequences.get(path) ?? 0) + events.length;
    sequences.set(path, sequence);
    answer(sequence);
  }),
  () => [...sequences.values()].reduce((sum, sequence) => sum + sequence, 0),
);
