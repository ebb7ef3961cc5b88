import { once } from "node:events";
import type { Writable } from "node:stream";
import { escapeText } from "@tm/run-events-core/wire";

/** The time between two drawings of the progress line, in milliseconds. */
const REDRAW_MS = 200;

/** An output of this process. */
type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The name of an output. */
export type OutputName = "stdout" | "stderr";

/** The output of a command: data for the next program, notes and progress for the user. */
export interface Screen {
  /** Writes to standard output or standard error, as it is. Resolves when there is room for more. */
  write(output: OutputName, data: string | Uint8Array): Promise<void>;
  /** Writes one line for the user to standard error. Characters that a terminal would obey are escaped. */
  note(line: string): void;
  /** Removes the progress line for good. */
  close(): void;
}

/** Options of {@link createScreen}. */
export interface ScreenOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  /** The current progress line; shown only if standard error is a terminal, and escaped as notes are. */
  readonly progress?: () => string;
  /** Called when the reader of this output has closed it. */
  readonly onClosed?: (output: OutputName) => void;
}

/** Creates a screen that keeps one progress line below all other output on a terminal. */
export function createScreen(options: ScreenOptions): Screen {
  const { stdout, stderr, progress, onClosed } = options;
  const outputs = { stdout, stderr };
  const closed = new Set<Output>();
  const showsProgress = stderr.isTTY === true && progress !== undefined;
  let isDrawn = false;
  /** Whether the last output ended its line, so that the progress line can begin. */
  let isLineStart = true;

  for (const name of ["stdout", "stderr"] as const) {
    outputs[name].on("error", () => {
      if (closed.has(outputs[name])) return;
      closed.add(outputs[name]);
      onClosed?.(name);
    });
  }

  function erase(): void {
    if (isDrawn) stderr.write("\r\x1b[K");
    isDrawn = false;
  }

  function draw(): void {
    if (!showsProgress || !isLineStart) return;
    const text = escapeText(progress()).slice(0, (stderr.columns || 80) - 1);
    stderr.write(`\r\x1b[K\x1b[2m${text}\x1b[22m`);
    isDrawn = true;
  }

  const timer = showsProgress ? setInterval(draw, REDRAW_MS) : undefined;

  return {
    async write(name, data) {
      const output = outputs[name];
      if (closed.has(output)) return;
      if (output.isTTY === true) {
        erase();
        isLineStart = data.at(-1) === "\n" || data.at(-1) === 10;
      }
      if (output.write(data)) return;
      const over = new AbortController();
      const { signal } = over;
      const room = [once(output, "drain", { signal }), once(output, "close", { signal })];
      await Promise.race(room).catch(() => {
        // The reader has closed the output. The listener above handles that.
      });
      over.abort();
      await Promise.allSettled(room);
    },
    note(line) {
      erase();
      if (!closed.has(stderr))
        stderr.write(`${isLineStart ? "" : "\n"}run-events: ${escapeText(line)}\n`);
      isLineStart = true;
    },
    close() {
      clearInterval(timer);
      erase();
    },
  };
}
