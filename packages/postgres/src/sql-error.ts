/** What a server or the system says of a failed statement. */
export interface SqlError {
  /** The server's SQLSTATE or a system error code; empty if there is none. */
  readonly code: string;
  /** The constraint or the index that refused; empty if there is none. */
  readonly constraint: string;
  /** As `ERROR` or `FATAL`, in the language of the server's messages. */
  readonly severity: string;
}

const SQLSTATE = /^[0-9A-DF-Z][0-9A-Z]{4}$/;
/** More layers than any ORM and driver put around an error. */
const MOST_WRAPS = 8;

/** Whether a code is the server's: no class of them begins with E, as the system's EPIPE does. */
export function isSqlState(code: string): boolean {
  return SQLSTATE.test(code);
}

/**
 * Finds the server's own error in what a driver or an ORM threw: pg has `code` and `constraint`, postgres.js
 * `constraint_name`; Drizzle has the error as its `cause`, Prisma as the `cause` of `meta.driverAdapterError`. The innermost
 * SQLSTATE counts, since an ORM has codes of its own that look like one.
 */
export function sqlErrorOf(error: unknown): SqlError {
  let found: SqlError | null = null;
  let wrapped = error;
  for (let wraps = 0; wraps < MOST_WRAPS && isObject(wrapped); wraps++) {
    const code = textOf(wrapped["originalCode"] ?? wrapped["code"]);
    if (isSqlState(code) || (found === null && code !== "")) found = describe(code, wrapped);
    wrapped = causeOf(wrapped);
  }
  return found ?? { code: "", constraint: "", severity: "" };
}

type Properties = Readonly<Record<string, unknown>>;

function describe(code: string, error: Properties): SqlError {
  const { constraint, constraint_name: name, severity } = error;
  const index = isObject(constraint) ? constraint["index"] : constraint;
  return { code, constraint: textOf(index ?? name), severity: textOf(severity) };
}

function causeOf({ cause, meta }: Properties): unknown {
  return isObject(meta) && "driverAdapterError" in meta ? meta["driverAdapterError"] : cause;
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
