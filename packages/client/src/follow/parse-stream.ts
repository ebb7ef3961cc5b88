import { unanswered } from "../http/server-errors.ts";

/** A line of a field that is used here. The colon may be missing. One space after it is not part of the value. */
const FIELD = /^(data|retry)(?:: ?(.*))?$/s;

/**
 * Creates a parser of an event stream, by the standard for server-sent events. It reads each text once, however long the lines are. It
 * ignores fields other than `data` and `retry`, and an event without a blank line at its end.
 * @param onData called with the data of each event
 * @param onRetry called with the value of each `retry:` field, in milliseconds
 * @param mostChars the most characters that an event, or a line, may have before it ends
 * @returns a function that takes the next text. Texts may be cut anywhere, and have no byte order mark. It throws a RunEventsError
 * `store_unavailable`, retryable, once more characters have come: do not call it again then
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export function createStreamParser(
  onData: (data: string) => void,
  onRetry: (retryMs: number) => void,
  mostChars: number,
): (text: string) => void {
  /** The beginning of a line that has not ended. */
  let line = "";
  let data: string[] = [];
  /** The number of characters in `data`, counting 64 more for each line. */
  let chars = 0;
  let isAfterReturn = false;

  function endLine(): void {
    const [, field, value = ""] = FIELD.exec(line) ?? [];
    if (field === "data") {
      data.push(value);
      // Even an empty line takes memory.
      chars += value.length + 64;
    }
    if (field === "retry" && /^\d+$/.test(value)) onRetry(Number(value));
    if (line === "") {
      if (data.length > 0) onData(data.join("\n"));
      data = [];
      chars = 0;
    }
    line = "";
  }

  function checkLength(): void {
    if (chars + line.length <= mostChars) return;
    throw unanswered(
      `Expected a message of ${mostChars} characters at most, got more: check that the URL is a run-events server's.`,
    );
  }

  return (text) => {
    if (text === "") return;
    // The second half of a line end that was cut in two.
    const [first = "", ...others] = (isAfterReturn ? text.replace(/^\n/, "") : text).split(
      /\r\n|\r|\n/,
    );
    isAfterReturn = text.endsWith("\r");
    line += first;
    for (const other of others) {
      checkLength();
      endLine();
      line = other;
    }
    checkLength();
  };
}
