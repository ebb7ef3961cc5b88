import { RunEventsError } from "@tm/run-events-core";

/**
 * Parses a query. Bytes that are not UTF-8 would be read as U+FFFD, and a topic of them would be another topic.
 * @param search what follows the question mark
 * @throws RunEventsError `invalid_request` that names the parameter
 */
export function parseQuery(search: string): URLSearchParams {
  const query = new URLSearchParams(search);
  if (search.includes("%")) {
    for (const part of search.split("&")) {
      if (!isUtf8(part)) throw notUtf8(part);
    }
  }
  return query;
}

/** A percent sign that begins no escape stands for itself. */
function isUtf8(part: string): boolean {
  try {
    decodeURIComponent(part.replaceAll(/%(?![\da-f]{2})/gi, "%25"));
    return true;
  } catch {
    return false;
  }
}

function notUtf8(part: string): RunEventsError {
  const [name = ""] = new URLSearchParams(part).keys();
  return new RunEventsError(
    "invalid_request",
    `Expected \`${name}\` to be UTF-8, got other bytes. Encode it with \`encodeURIComponent\`.`,
  );
}
