import type { NotificationFilter } from "../src/filter.ts";

/** The same bytes in pieces of these sizes. */
export function cutUp(bytes: Buffer, sizes: Iterator<number>): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = Number(sizes.next().value);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** All that passes of these chunks. */
export function filterAll(filter: NotificationFilter, chunks: readonly Buffer[]): Buffer {
  return Buffer.concat(chunks.map((chunk) => filter.filterServer(chunk)));
}
