import type { Child } from "./child.ts";
import type { Recorder } from "./recorder.ts";

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * The time that the command and its recording have after the first signal, the second, and later ones, in milliseconds.
 * The first leaves the command time to end by itself.
 */
const DEADLINES_MS = [20_000, 2_000, 0] as const;

/** A signal to this process while its command runs. */
export interface ReceivedSignal {
  readonly signal: NodeJS.Signals;
  /** Whether the command had already ended. */
  readonly isLate: boolean;
}

/** The signals to this process. */
export interface Interruption {
  /** The first signal; `null` if none came. */
  received(): ReceivedSignal | null;
  /** Resolves when this process must not wait any longer, neither for the command nor for the reader of its output. */
  readonly givenUp: Promise<void>;
  /** Stops to listen: signals then have their usual effect on this process. */
  close(): void;
}

/**
 * Passes the first signal on to the command. The run ends when the command does. The second signal ends the command at once, and the
 * third ends this process. A command that no signal reaches is recorded until it ends, or until the third signal.
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
      // The recording continues until the command ends.
      void child.exited.then(wait);
      return;
    }
    const reason = isEnding
      ? "it was interrupted before all was sent"
      : "it was interrupted, and the command is still running";
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
