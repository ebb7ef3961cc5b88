import { constants } from "node:os";
import type { EventDraft } from "@tm/run-events-core";
import { changeBy } from "@tm/run-events-core/wire";
import type { ChildExit } from "./child.ts";
import { EXIT } from "./exit-code.ts";
import type { ReceivedSignal } from "./interruption.ts";
import type { RecordingEnd } from "./recorder.ts";

/** The end of the run and of this process. */
export interface PlannedEnd {
  /** The run's last event. */
  readonly event: EventDraft;
  readonly exitCode: number;
}

/**
 * Plans the end of the run and of this process.
 * @param exit how the command ended
 * @param received the first signal to this process, if any. It makes the run a cancelled one, unless the command had ended before
 */
export function planEnd(exit: ChildExit, received: ReceivedSignal | null): PlannedEnd {
  if (received !== null && isCause(received, exit)) {
    const { signal } = received;
    return {
      event: { eventType: "RUN_CANCELLED", payload: { signal } },
      exitCode: EXIT.signal + constants.signals[signal],
    };
  }
  switch (exit.kind) {
    case "exited": {
      const { exitCode } = exit;
      const eventType = exitCode === 0 ? "RUN_COMPLETED" : "RUN_FAILED";
      return { event: { eventType, payload: { exitCode } }, exitCode };
    }
    case "signalled": {
      const { signal } = exit;
      return {
        event: { eventType: "RUN_FAILED", payload: { signal } },
        exitCode: EXIT.signal + constants.signals[signal],
      };
    }
    case "not_started": {
      const exitCode = exit.code === "ENOENT" ? EXIT.commandNotFound : EXIT.notExecutable;
      return {
        event: { eventType: "RUN_FAILED", payload: { exitCode, error: exit.code } },
        exitCode,
      };
    }
  }
}

/** A terminal sends Ctrl-C to the command as well, so the command may end before the signal arrives here. */
function isCause({ signal, isLate }: ReceivedSignal, exit: ChildExit): boolean {
  return !isLate || (exit.kind === "signalled" && exit.signal === signal);
}

/** The exit code of this process, after the recording has ended. */
export function planExitCode(planned: PlannedEnd, end: RecordingEnd): number {
  switch (end.outcome) {
    case "recorded":
      return planned.exitCode;
    case "ended_elsewhere":
    case "taken_over":
      return EXIT.endedElsewhere;
    case "failed":
      return EXIT.notRecorded;
  }
}

/** Describes the end of the recording for the user. */
export function describeEnd(planned: PlannedEnd, end: RecordingEnd): string {
  switch (end.outcome) {
    case "recorded":
      return changeBy(planned.event.eventType);
    case "ended_elsewhere":
      return `was ended by another program (${end.runStatus}), so the command was ended too`;
    case "taken_over":
      return "has been claimed by another worker, so the command was ended";
    case "failed":
      return `was not recorded to its end: ${end.reason}`;
  }
}
