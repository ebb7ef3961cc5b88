import type { Readable } from "node:stream";
import { createLineCutter } from "./line-cutter.ts";
import { createOutputEncoder, MAX_PIECE_BYTES, type OutputType } from "./output-event.ts";
import type { Recorder } from "./recorder.ts";

/**
 * Records an output of the command to its end, and passes it on. It is read no faster than the recorder and whoever reads
 * it take it, so the command waits rather than this process's memory grow.
 * @param passOn takes the bytes as they are
 */
export async function recordOutput(
  output: Readable,
  eventType: OutputType,
  recorder: Recorder,
  passOn: (bytes: Buffer) => Promise<void>,
): Promise<void> {
  const cutter = createLineCutter(MAX_PIECE_BYTES);
  const encode = createOutputEncoder(eventType);
  try {
    for await (const chunk of output as AsyncIterable<Buffer>) {
      await passOn(chunk);
      await recorder.add(cutter.push(chunk).map(encode));
    }
  } catch (error) {
    // Destroyed when the command was killed: what came before counts.
    if (!output.destroyed) throw error;
  }
  await recorder.add(cutter.rest().map(encode));
}
