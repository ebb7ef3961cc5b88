/** The fields of a log line: names and numbers, never a token, a cookie or a payload. */
export type LogFields = Readonly<
  Record<string, string | number | boolean | null | readonly string[]>
>;

/** Writes one line for each event. */
export type Log = (event: string, fields?: LogFields) => void;

/** The stream that lines are written to: `process.stderr`. */
export interface LogSink {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Makes a log of JSON lines, or on a terminal of lines for people. */
export function createLog(sink: LogSink): Log {
  return (event, fields = {}) => {
    const time = new Date().toISOString();
    sink.write(
      sink.isTTY === true
        ? `${encodePretty(time, event, fields)}\n`
        : `${JSON.stringify({ time, event, ...fields })}\n`,
    );
  };
}

function encodePretty(time: string, event: string, fields: LogFields): string {
  const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `\x1b[2m${time.slice(11, 23)}\x1b[22m ${event}\x1b[2m${pairs.join("")}\x1b[22m`;
}
