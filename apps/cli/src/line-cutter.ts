const NEWLINE = 10;

/** A line without its newline, or a piece of a long one. */
export interface Piece {
  readonly bytes: Buffer;
  /** Whether the next piece continues the same line. */
  readonly continues: boolean;
}

/** Cuts output into lines. The output may arrive in any chunks. */
export interface LineCutter {
  /** Takes bytes, and returns the pieces that they complete. */
  push(chunk: Buffer): readonly Piece[];
  /** Returns the rest after the last newline, if it is not empty. */
  rest(): readonly Piece[];
}

/**
 * Creates a cutter. It cuts at newlines, and cuts a longer line into pieces of at most `maxBytes`, never within a UTF-8 character.
 * The pieces and the newlines together are exactly the bytes of the output.
 */
export function createLineCutter(maxBytes: number): LineCutter {
  let pending = Buffer.alloc(0);

  /** Cuts complete pieces off the line, and returns the rest. */
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

/** The last place at or before `at` where a character starts; `at` itself if the bytes there are not UTF-8. */
function characterStart(bytes: Buffer, at: number): number {
  for (let start = at; start > at - 4 && start > 0; start -= 1) {
    if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return start;
  }
  return at;
}
