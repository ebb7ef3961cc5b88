import type { Child } from "./child.ts";
import type { Recorder } from "./recorder.ts";

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * How long the command and the rest of the recording may take after the first signal, the second and those after, in
 * milliseconds. The first leaves the command the time to go by itself.
 */
const DEADLINES_MS = [20_000, 2_000, 0] as const;

/** What this process is told while its command runs. */
export interface Interruption {
  /** The first signal, if there was one. */
  received(): NodeJS.Signals | null;
  /** Back to the system's own way with signals. */
  close(): void;
}

/** Passes a signal on to the command, which the run's end waits for; the second one ends the command at once. */
export function listenForSignals(child: Child, recorder: Recorder): Interruption {
  const received: NodeJS.Signals[] = [];
  let deadline: NodeJS.Timeout | undefined;

  function onSignal(signal: NodeJS.Signals): void {
    if (received.length === 0) child.stop(signal);
    else child.kill();
    clearTimeout(deadline);
    const deadlineMs = DEADLINES_MS[received.length] ?? 0;
    deadline = setTimeout(() => {
      child.kill();
      recorder.end({ outcome: "failed", reason: "it was interrupted while the server was away" });
    }, deadlineMs);
    received.push(signal);
  }

  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    received: () => received[0] ?? null,
    close() {
      clearTimeout(deadline);
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
