/** A line of a field that is used here. The colon may be missing. One space after it is not part of the value. */
const FIELD = /^(data|retry)(?:: ?(.*))?$/s;

/**
 * Creates a parser of an event stream, by the standard for server-sent events. It reads each text once, however long the lines are. It
 * ignores fields other than `data` and `retry`, and an event without a blank line at its end.
 * @param onData called with the data of each event
 * @param onRetry called with the value of each `retry:` field, in milliseconds
 * @returns a function that takes the next text. Texts may be cut anywhere, and have no byte order mark
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export function createStreamParser(
  onData: (data: string) => void,
  onRetry: (retryMs: number) => void,
): (text: string) => void {
  /** The beginning of a line that has not ended. */
  let line = "";
  let data: string[] = [];
  let isAfterReturn = false;

  function endLine(): void {
    const [, field, value = ""] = FIELD.exec(line) ?? [];
    if (field === "data") data.push(value);
    if (field === "retry" && /^\d+$/.test(value)) onRetry(Number(value));
    if (line === "") {
      if (data.length > 0) onData(data.join("\n"));
      data = [];
    }
    line = "";
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
      endLine();
      line = other;
    }
  };
}
