import type { NotificationFilter } from "./filter.ts";

const NOTIFICATIONS: readonly string[] = ["message", "smessage", "pmessage"];
const LONGEST_NOTIFICATION = 8;

// By the first letter of its line, an element has a body of as many bytes as the line says, or as many
// elements of its own, or twice as many.
const BODIES = "$=!";
const LISTS = "*>~";
const PAIRS = "%|";

/** Comes before an element and does not count as one. */
const ATTRIBUTE = "|";

const LINE_END = "\r\n";

/** A client that sends this is a replica: what it gets from then on are not replies. */
const REPLICATION = /\nP?SYNC\r\n/;

/**
 * Drops arrays (RESP2) and pushes (RESP3) whose first element is `message`, `smessage` or `pmessage`.
 * An ordinary list that begins so is dropped too: nothing distinguishes it.
 */
export function createRedisFilter(isDropping: () => boolean): NotificationFilter {
  let line = "";
  let body = "";
  let bodyBytesLeft = 0;
  /** How many elements of each list are still to come, the innermost last. */
  const openLists: number[] = [];
  /** Of the reply that is being read. */
  let fate: "unknown" | "passed" | "dropped" = "unknown";
  /** Its bytes, while its fate is unknown. */
  let held: Buffer[] = [];
  let isReplica = false;

  function endElement(): void {
    for (let left = openLists.pop(); left !== undefined; left = openLists.pop()) {
      if (left > 1) {
        openLists.push(left - 1);
        return;
      }
    }
  }

  function readLine(kind: string, count: number): void {
    const isList = (LISTS + PAIRS).includes(kind) && count > 0;
    const mayNotify =
      openLists.length === 0
        ? isList && "*>".includes(kind)
        : kind === "$" && count >= 0 && count <= LONGEST_NOTIFICATION;
    if (fate === "unknown" && !mayNotify) fate = "passed";
    if (isList) {
      // The element after it belongs to the same reply, even where that is the reply itself.
      if (kind === ATTRIBUTE) openLists.push((openLists.pop() ?? 1) + 1);
      openLists.push(PAIRS.includes(kind) ? 2 * count : count);
    } else if (BODIES.includes(kind) && count >= 0) {
      bodyBytesLeft = count + LINE_END.length;
    } else {
      endElement();
    }
  }

  function readPiece(piece: Buffer): void {
    if (bodyBytesLeft === 0) {
      line += piece.toString("latin1");
      if (!line.endsWith("\n")) return;
      const whole = line;
      line = "";
      readLine(whole.charAt(0), Number(whole.slice(1)));
      return;
    }
    bodyBytesLeft -= piece.length;
    if (fate === "unknown") body += piece.toString("latin1");
    if (bodyBytesLeft > 0) return;
    if (fate === "unknown") {
      const notifies = NOTIFICATIONS.includes(body.slice(0, -LINE_END.length));
      fate = notifies && isDropping() ? "dropped" : "passed";
    }
    body = "";
    endElement();
  }

  return {
    readClient(chunk) {
      isReplica ||= REPLICATION.test(chunk.toString("latin1"));
    },
    filterServer(chunk) {
      if (isReplica) return chunk;
      const passed: Buffer[] = [];
      for (let at = 0; at < chunk.length;) {
        const end = bodyBytesLeft > 0 ? at + bodyBytesLeft : chunk.indexOf("\n", at) + 1;
        const piece = chunk.subarray(at, end === 0 ? chunk.length : end);
        at += piece.length;
        held.push(piece);
        readPiece(piece);
        if (fate === "passed") passed.push(...held);
        if (fate !== "unknown") held = [];
        if (openLists.length === 0 && line === "" && bodyBytesLeft === 0) fate = "unknown";
      }
      return Buffer.concat(passed);
    },
  };
}
