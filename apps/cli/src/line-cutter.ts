const NEWLINE = 10;

/** A line without its newline, or a piece of a long one. */
export interface Piece {
  readonly bytes: Buffer;
  /** Whether the next piece goes on with the same line. */
  readonly continues: boolean;
}

/** Cuts output into lines, however it arrives. */
export interface LineCutter {
  /** The pieces that are complete with these bytes. */
  push(chunk: Buffer): readonly Piece[];
  /** What stands behind the last newline: none if nothing does. */
  rest(): readonly Piece[];
}

/**
 * Cuts at newlines, and a line of more than `maxBytes` into pieces of at most that, never within a UTF-8 character. The
 * pieces and newlines together are exactly the bytes that went in.
 */
export function createLineCutter(maxBytes: number): LineCutter {
  let pending = Buffer.alloc(0);

  /** Takes complete pieces off the line, down to what may still be its last. */
  function cutLong(line: Buffer, pieces: Piece[]): Buffer {
    let left = line;
    while (left.length > maxBytes) {
      const at = characterStart(left, maxBytes);
      pieces.push({ bytes: left.subarray(0, at), continues: true });
      left = left.subarray(at);
    }
    return left;
  }

  return {
    push(chunk) {
      const pieces: Piece[] = [];
      let left = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (let end = left.indexOf(NEWLINE); end !== -1; end = left.indexOf(NEWLINE)) {
        pieces.push({ bytes: cutLong(left.subarray(0, end), pieces), continues: false });
        left = left.subarray(end + 1);
      }
      // A copy, so that the chunk is not kept for its last few bytes.
      pending = Buffer.from(cutLong(left, pieces));
      return pieces;
    },
    rest() {
      const bytes = pending;
      pending = Buffer.alloc(0);
      return bytes.length === 0 ? [] : [{ bytes, continues: false }];
    },
  };
}

/** The last place at or before `at` where a character starts; `at` itself if the bytes around it are no UTF-8. */
function characterStart(bytes: Buffer, at: number): number {
  for (let start = at; start > at - 4 && start > 0; start -= 1) {
    if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return start;
  }
  return at;
}
