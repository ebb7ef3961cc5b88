import type { RunSnapshot } from "@tm/run-events-core";
import { escapeText } from "@tm/run-events-core/wire";

/** The longest title, in characters. */
const MOST_LENGTH = 300;

/**
 * The title of a run: the `title`, `name` or `command` of its metadata if one of them is text, else its topic, else its id. Invisible characters are
 * escaped, because the user reads the title to decide which run to cancel.
 */
export function runTitle({
  runId,
  topic,
  metadata,
}: Pick<RunSnapshot, "runId" | "topic" | "metadata">): string {
  const { title, name, command } = Object(metadata) as Readonly<Record<string, unknown>>;
  for (const one of [title, name, command, topic]) {
    const words = wordsOf(one)
      .slice(0, MOST_LENGTH)
      .replaceAll(/[\t\n\r ]+/g, " ")
      .trim();
    if (words !== "") return escapeText(words);
  }
  return runId;
}

/** Text, or the words of a command line; otherwise empty. Other lists may be nested so deep that joining them fails. */
function wordsOf(value: unknown): string {
  if (typeof value === "string") return value;
  const isWords = Array.isArray(value) && value.every((one) => !(one instanceof Object));
  return isWords ? value.join(" ") : "";
}
