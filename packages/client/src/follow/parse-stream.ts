/** The fields that are of use here. A colon may be missing, and one space after it is no part of the value. */
const FIELD = /^(data|retry)(?:: ?(.*))?$/s;

/**
 * Takes an event stream apart, as the standard for server-sent events says. Each text is looked at once, however long its lines are.
 * Fields other than `data` and `retry` are left out, and so is what no blank line ends.
 * @param onData called with the data of each event
 * @param onRetry called with what `retry:` says, in milliseconds
 * @returns takes the next text, cut anywhere, without a byte order mark
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export function createStreamParser(
  onData: (data: string) => void,
  onRetry: (retryMs: number) => void,
): (text: string) => void {
  /** What has come of the line that is not over. */
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
