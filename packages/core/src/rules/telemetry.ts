import { describeValue, isPromise } from "./describe-value.ts";
import type { Diagnostic, WorkEnd } from "./diagnostic.ts";
import { RunEventsError, type RunEventsErrorCode } from "./errors.ts";

/** A worker's work as it begins. */
export interface WorkStart {
  readonly runId: string;
  /** The run's last sequence when it was claimed. */
  readonly lastSequence: number;
  /** The run's metadata, parsed again at each call. `undefined` if it is not known. */
  metadata(): unknown;
}

/** Listens to what core, its store and its handlers do in this process. Without it, no diagnostic is made. */
export interface Telemetry {
  /**
   * Called with each diagnostic when it happens, in the async context of the call that it is about. It must be quick. An error that it
   * throws changes no result. The first one is written to `console.error`, and later ones are dropped.
   */
  readonly onDiagnostic?: ((diagnostic: Diagnostic) => void) | undefined;
  /**
   * Called by `work` and `start`, once the run is claimed. It calls `begin` once, in the context that the task needs, such as that of a
   * span. If it does not call `begin`, the work begins all the same. Its errors are handled like those of `onDiagnostic`.
   * @param begin begins the work, and resolves with its end. It never rejects
   */
  readonly aroundWork?: ((work: WorkStart, begin: () => Promise<WorkEnd>) => void) | undefined;
}

/** Reports a diagnostic. Never throws. */
export type Report = (diagnostic: Diagnostic) => void;

/** The telemetry of a log, checked. Its functions never throw. */
export interface Listener {
  readonly report: Report;
  /** `null` if the listener has no `aroundWork`. */
  readonly aroundWork: ((work: WorkStart, begin: () => Promise<WorkEnd>) => void) | null;
}

/**
 * Makes the listener of a log.
 * @returns `null` if nothing listens: then the log takes no time for it
 * @throws TypeError unless the members are functions
 */
export function listenerOf(telemetry: Telemetry | undefined): Listener | null {
  const { onDiagnostic, aroundWork } = telemetry ?? {};
  checkMember("onDiagnostic", onDiagnostic);
  checkMember("aroundWork", aroundWork);
  if (onDiagnostic === undefined && aroundWork === undefined) return null;
  const complain = createComplaint();
  return {
    report: onDiagnostic === undefined ? () => {} : guarded(onDiagnostic.bind(telemetry), complain),
    aroundWork: aroundWork === undefined ? null : guarded(aroundWork.bind(telemetry), complain),
  };
}

/** The code of an error, as diagnostics have it. */
export function codeOf(error: unknown): RunEventsErrorCode {
  return error instanceof RunEventsError ? error.code : "internal";
}

/** Calls the listener. What it throws goes to `complain`, and so does the reason why an `async` one rejects. */
function guarded<Values extends readonly unknown[]>(
  listen: (...values: Values) => unknown,
  complain: (error: unknown) => void,
): (...values: Values) => void {
  return (...values) => {
    try {
      const answer = listen(...values);
      if (isPromise(answer)) Promise.resolve(answer).catch(complain);
    } catch (error) {
      complain(error);
    }
  };
}

/** Writes the first error only: a listener that fails does so with each append. */
function createComplaint(): (error: unknown) => void {
  let isWritten = false;
  return (error) => {
    if (isWritten) return;
    isWritten = true;
    console.error(
      "run-events: a listener of `telemetry` failed. Later failures are dropped.",
      error,
    );
  };
}

function checkMember(name: keyof Telemetry, value: unknown): void {
  if (value === undefined || typeof value === "function") return;
  throw new TypeError(
    `Expected \`telemetry.${name}\` to be a function, got ${describeValue(value)}. Leave it out, or pass what a package for telemetry makes.`,
  );
}
