import type { NotificationFilter } from "./filter.ts";

// A client's requests before its start-up message, each of which is answered by one byte.
const ENCRYPTION_REQUESTS: readonly number[] = [80_877_103, 80_877_104];

const NOTIFICATION_RESPONSE = "A".charCodeAt(0);
const REFUSED = "N".charCodeAt(0);
const ACCEPTED: readonly number[] = ["S", "G"].map((letter) => letter.charCodeAt(0));

// A message is a type, then a length that counts itself and the body.
const TYPE_BYTES = 1;
const LENGTH_BYTES = 4;
const HEADER_BYTES = TYPE_BYTES + LENGTH_BYTES;

/** Drops NotificationResponse messages. What is encrypted passes unread. */
export function createPostgresFilter(isDropping: () => boolean): NotificationFilter {
  const startup = createStartupReader();
  const header = Buffer.alloc(HEADER_BYTES);
  let headerBytes = 0;
  let bodyBytesLeft = 0;
  let dropped = false;
  let encrypted = false;

  /** Reads on up to where the piece ends that shares one fate. @returns its end */
  function readPiece(chunk: Buffer, at: number): number {
    const first = chunk[at] ?? 0;
    if (encrypted) return chunk.length;
    if (bodyBytesLeft > 0) {
      const end = Math.min(chunk.length, at + bodyBytesLeft);
      bodyBytesLeft -= end - at;
      return end;
    }
    if (headerBytes === 0) {
      encrypted = startup.isAwaitingAnswer() && ACCEPTED.includes(first);
      if (encrypted || (startup.isAwaitingAnswer() && first === REFUSED)) {
        startup.takeAnswer();
        return at + 1;
      }
      dropped = first === NOTIFICATION_RESPONSE && isDropping();
    }
    const read = chunk.copy(header, headerBytes, at);
    headerBytes += read;
    if (headerBytes === HEADER_BYTES) {
      headerBytes = 0;
      bodyBytesLeft = header.readUInt32BE(TYPE_BYTES) - LENGTH_BYTES;
    }
    return at + read;
  }

  return {
    readClient: startup.read,
    filterServer(chunk) {
      const passed: Buffer[] = [];
      for (let at = 0; at < chunk.length;) {
        const end = readPiece(chunk, at);
        if (!dropped) passed.push(chunk.subarray(at, end));
        at = end;
      }
      return Buffer.concat(passed);
    },
  };
}

interface StartupReader {
  read(chunk: Buffer): void;
  isAwaitingAnswer(): boolean;
  takeAnswer(): void;
}

/** Follows a client up to its start-up message: these messages have no type, and their answers no length. */
function createStartupReader(): StartupReader {
  let unread: Buffer | null = Buffer.alloc(0);
  let awaited = 0;
  return {
    read(chunk) {
      if (unread === null) return;
      unread = Buffer.concat([unread, chunk]);
      while (unread !== null && unread.length >= 2 * LENGTH_BYTES) {
        if (ENCRYPTION_REQUESTS.includes(unread.readUInt32BE(LENGTH_BYTES))) {
          awaited += 1;
          unread = unread.subarray(unread.readUInt32BE(0));
        } else {
          unread = null;
        }
      }
    },
    isAwaitingAnswer: () => awaited > 0,
    takeAnswer() {
      awaited -= 1;
    },
  };
}
