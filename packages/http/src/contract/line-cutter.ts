import { bounds } from "@tm/run-events-core/wire";

const NEWLINE = 10;

/**
 * Makes a cutter of bytes into lines. It keeps the start of a line until its end arrives.
 * @param grow called with the memory of the unfinished line before it is allocated; throws to refuse it
 */
export function createLineCutter(
  maxLineBytes: number,
  grow: (bytes: number) => void,
): {
  /**
   * Yields the lines that end in these bytes.
   * @throws RunEventsError `payload_too_large`, after the lines before it
   */
  push(bytes: Uint8Array): Iterable<Uint8Array>;
  /** The bytes after the last newline. */
  rest(): Uint8Array;
  /** The memory of the unfinished line, in bytes. */
  size(): number;
} {
  const line = new bounds.ByteBuffer(maxLineBytes, grow);
  return {
    rest: () => line.take(),
    size: () => line.size,
    *push(bytes) {
      let from = 0;
      for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
        line.add(bytes.subarray(from, at));
        from = at + 1;
        yield line.take();
      }
      line.add(bytes.subarray(from));
    },
  };
}
