import type { Readable } from "node:stream";
import { createLineCutter } from "./line-cutter.ts";
import { createOutputEncoder, MAX_PIECE_BYTES, type OutputType } from "./output-event.ts";
import type { Recorder } from "./recorder.ts";

/** An output of the command. */
export interface OutputOptions {
  readonly output: Readable;
  readonly eventType: OutputType;
  /** The bytes of the output, as they are read. */
  readonly chunks: AsyncIterable<Buffer>;
  readonly recorder: Recorder;
  /** Writes the unchanged bytes to this process's output. */
  readonly passOn: (bytes: Buffer) => Promise<void>;
}

/**
 * Records an output of the command to its end, and passes it on. It is read only as fast as the recorder, and the reader of this
 * process, take it. So the command waits, and this process's memory does not grow.
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
    // This process has closed the output, for example to kill the command. What came before is recorded.
    if (!output.destroyed) throw error;
  }
  await recorder.add(cutter.rest().map(encode));
}
