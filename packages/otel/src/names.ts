import type { Attributes } from "@opentelemetry/api";

/**
 * The names of attributes. `messaging.*` are OpenTelemetry's own, as of semantic conventions 1.45. They are not stable yet, so
 * their packages of constants are not a dependency. All others are this package's.
 */
export const SYSTEM: Attributes = { "messaging.system.name": "run_events" };
export const OPERATION_TYPE = "messaging.operation.type";
export const OPERATION_NAME = "messaging.operation.name";
export const MESSAGE_COUNT = "messaging.batch.message_count";
export const ERROR_TYPE = "error.type";
export const ROUTE = "http.route";
export const METHOD = "http.request.method";
export const STATUS_CODE = "http.response.status_code";
export const RUN_ID = "run_events.run.id";
export const LAST_SEQUENCE = "run_events.last_sequence";
export const OUTCOME = "run_events.outcome";
export const REASON = "run_events.reason";
export const CALL = "run_events.call";
export const FOUND_BY = "run_events.found_by";

/** The attributes for the outcome of a call. @param isError whether it is an error */
export function outcomeAttributes(outcome: string, isError: boolean): Attributes {
  return isError ? { [OUTCOME]: outcome, [ERROR_TYPE]: outcome } : { [OUTCOME]: outcome };
}
