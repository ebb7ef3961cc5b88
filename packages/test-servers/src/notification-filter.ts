/** A protocol in which a server sends messages that no request on the connection asked for. */
export type NotifyingProtocol = "postgres" | "redis";

/** Takes the notifications out of what a server sends on one connection, chunk by chunk. @returns what of it the client gets */
export type NotificationFilter = (chunk: Buffer) => Buffer;

/**
 * The start of a request for encryption (80877103 or 80877104), which libpq sends first and whose answer has no length. Such a client,
 * as a standby is one, gets all that the server sends.
 */
const ASKS_ENCRYPTION = "\0\0\0\b\x04\xd2\x16";

/**
 * The filter for a connection on which the client has sent this so far; `null` if no notification can come yet.
 * @param isDropping asked at the end of each notification
 */
export function filterFor(
  sent: string,
  isDropping: (protocol: NotifyingProtocol) => boolean,
): NotificationFilter | null {
  if (sent.startsWith(ASKS_ENCRYPTION)) return null;
  // The length of a Postgres start-up message is below 2^24; a Redis command is an array.
  if (sent.startsWith("\0")) return createPostgresFilter(() => isDropping("postgres"));
  // The data for a replica is not text.
  const subscribes = sent.startsWith("*") && /subscribe/i.test(sent);
  return subscribes ? createRedisFilter(() => isDropping("redis")) : null;
}

// A message is a type, then a length that counts itself and the body.
const TYPE_BYTES = 1;
const LENGTH_BYTES = 4;
const NOTIFICATION_RESPONSE = "A".charCodeAt(0);

/** Drops NotificationResponse messages. */
function createPostgresFilter(isDropping: () => boolean): NotificationFilter {
  let unread = Buffer.alloc(0);
  return (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    const passed: Buffer[] = [];
    while (unread.length >= TYPE_BYTES + LENGTH_BYTES) {
      const end = TYPE_BYTES + unread.readUInt32BE(TYPE_BYTES);
      if (unread.length < end) break;
      const isDropped = unread[0] === NOTIFICATION_RESPONSE && isDropping();
      if (!isDropped) passed.push(unread.subarray(0, end));
      unread = unread.subarray(end);
    }
    return Buffer.concat(passed);
  };
}

const LIST = /^[*>](\d+)\r\n$/;
const TEXT_FOLLOWS = /^\$\d/;
const NAME = /^[sp]?message\r\n$/;

/** Identifies lines as a notification, the first part of what may be one, or something else. */
function identify(lines: readonly string[]): "notification" | "part" | "other" {
  const [first = "", , name] = lines;
  const count = Number(LIST.exec(first)?.[1] ?? 0);
  if (count < 2 || (name !== undefined && !NAME.test(name))) return "other";
  return lines.length === 1 + 2 * count ? "notification" : "part";
}

/** Drops lists (RESP2) and pushes (RESP3) whose first element is `message`, `smessage` or `pmessage`. None of ours has a line break in it. */
function createRedisFilter(isDropping: () => boolean): NotificationFilter {
  let unread = "";
  /** Lines of what may be a notification: the number of elements, then a length and a text for each. */
  let held: string[] = [];
  /** Whether the next line is a text, which may look like anything. */
  let isText = false;
  return (chunk) => {
    let passed = "";
    const lines = (unread + chunk.toString("latin1")).split(/(?<=\n)/);
    unread = lines.at(-1)?.endsWith("\n") === false ? (lines.pop() ?? "") : "";
    for (const line of lines) {
      held.push(line);
      const found = isText ? "other" : identify(held);
      if (found === "part") continue;
      if (found === "other" || !isDropping()) passed += held.join("");
      isText = !isText && held.length === 1 && TEXT_FOLLOWS.test(line);
      held = [];
    }
    return Buffer.from(passed, "latin1");
  };
}
