import type { NotificationFilter } from "./filter.ts";
import { createPostgresFilter } from "./postgres-notifications.ts";
import { createRedisFilter } from "./redis-notifications.ts";

/** A protocol in which a server sends messages that no request on the connection asked for. */
export type NotifyingProtocol = "postgres" | "redis";

/** The protocol by the first byte that the client sends; null if it is neither. */
export function parseProtocol(firstByte: number | undefined): NotifyingProtocol | null {
  // The length of a Postgres start-up message is below 2^24; a Redis command is an array.
  if (firstByte === 0) return "postgres";
  return firstByte === "*".charCodeAt(0) ? "redis" : null;
}

/** @param isDropping asked at the start of each notification */
export function createNotificationFilter(
  protocol: NotifyingProtocol,
  isDropping: () => boolean,
): NotificationFilter {
  return protocol === "postgres" ? createPostgresFilter(isDropping) : createRedisFilter(isDropping);
}
