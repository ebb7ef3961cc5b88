import type { Readable } from "node:stream";
import { createLineCutter } from "./line-cutter.ts";
import { createOutputEncoder, MAX_PIECE_BYTES, type OutputType } from "./output-event.ts";
import type { Recorder } from "./recorder.ts";

/** An output of the command. */
export interface OutputOptions {
  readonly output: Readable;
  readonly eventType: OutputType;
  /** Its bytes as they are read. */
  readonly chunks: AsyncIterable<Buffer>;
  readonly recorder: Recorder;
  /** Takes the bytes as they are. */
  readonly passOn: (bytes: Buffer) => Promise<void>;
}

/**
 * Records an output of the command to its end, and passes it on. It is read no faster than the recorder and the reader of
 * this process take it, so the command waits rather than this process's memory grow.
 */
export async function recordOutput(options: OutputOptions): Promise<void> {
  const { output, eventType, chunks, recorder, passOn } = options;
  const cutter = createLineCutter(MAX_PIECE_BYTES);
  const encode = createOutputEncoder(eventType);
  try {
    for await (const chunk of chunks) {
      await passOn(chunk);
      await recorder.add(cutter.push(chunk).map(encode));
    }
  } catch (error) {
    // Closed from here, as when the command was killed: what came before counts.
    if (!output.destroyed) throw error;
  }
  await recorder.add(cutter.rest().map(encode));
}
