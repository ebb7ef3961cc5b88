import type { LogFields } from "./log.ts";

/**
 * Describes an error for a log line. Errors of drivers and of the system have a code, and their messages hold no data. Of any
 * other error only the name and the origin are shown, since a parser's message can hold what it parsed.
 */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const { name, message, cause, stack } = error;
  const code = "code" in error ? String(error.code) : null;
  const origin = stack?.split("\n").find((line) => line.startsWith("    at "));
  const fields = code === null ? { origin: origin?.trim() ?? null } : { code, message };
  if (cause === undefined) return { error: name, ...fields };
  const { error: causeName = null, ...causeFields } = describeError(cause);
  return { error: name, ...fields, cause: causeName, ...prefixed(causeFields) };
}

function prefixed(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [`cause_${name}`, value]),
  );
}
