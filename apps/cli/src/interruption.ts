import type { Child } from "./child.ts";
import type { Recorder } from "./recorder.ts";

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * How long the command and the rest of the recording may take after the first signal, the second and those after, in
 * milliseconds. The first leaves the command the time to go by itself.
 */
const DEADLINES_MS = [20_000, 2_000, 0] as const;

/** A signal to this process while its command runs. */
export interface ReceivedSignal {
  readonly signal: NodeJS.Signals;
  /** Whether the command had ended before. */
  readonly isLate: boolean;
}

/** The signals to this process. */
export interface Interruption {
  /** The first one, if there was one. */
  received(): ReceivedSignal | null;
  /** Resolves when there is nothing left to wait for: neither the command nor the reader of its output. */
  readonly givenUp: Promise<void>;
  /** Back to the system's own way with signals. */
  close(): void;
}

/**
 * Passes the first signal on to the command; the run ends when the command does. The second signal ends the command at once, the
 * third this process. A command that no signal reaches is recorded until it ends, or until the third signal.
 */
export function listenForSignals(child: Child, recorder: Recorder): Interruption {
  const received: ReceivedSignal[] = [];
  const givenUp = Promise.withResolvers<void>();
  let deadline: NodeJS.Timeout | undefined;
  let isClosed = false;

  function onSignal(signal: NodeJS.Signals): void {
    received.push({ signal, isLate: child.hasExited() });
    if (received.length === 1) child.stop(signal);
    else child.kill();
    wait();
  }

  function wait(): void {
    clearTimeout(deadline);
    if (!isClosed) deadline = setTimeout(onDeadline, DEADLINES_MS[received.length - 1] ?? 0);
  }

  function onDeadline(): void {
    const isEnding = child.kill();
    if (!isEnding && received.length < DEADLINES_MS.length) {
      // The recording goes on until it ends.
      void child.exited.then(wait);
      return;
    }
    const reason = isEnding
      ? "it was interrupted before all was sent"
      : "it was interrupted, and the command goes on without it";
    recorder.end({ outcome: "failed", reason });
    givenUp.resolve();
  }

  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    received: () => received[0] ?? null,
    givenUp: givenUp.promise,
    close() {
      isClosed = true;
      clearTimeout(deadline);
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
