import type { LogFields } from "./log.ts";

/**
 * An error as a log line may show it. Drivers and the system give their errors a code, and their messages hold no data; of
 * any other error only its name and its origin are shown, since a parser's message can hold what it parsed.
 */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const { name, message, cause, stack } = error;
  const code = "code" in error ? String(error.code) : null;
  const origin = stack?.split("\n").find((line) => line.startsWith("    at "));
  const said = code === null ? { origin: origin?.trim() ?? null } : { code, message };
  if (cause === undefined) return { error: name, ...said };
  const { error: causeName = null, ...causeSaid } = describeError(cause);
  return { error: name, ...said, cause: causeName, ...prefixed(causeSaid) };
}

function prefixed(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [`cause_${name}`, value]),
  );
}
