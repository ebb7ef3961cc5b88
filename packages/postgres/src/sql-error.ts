/** The error of a server or the system after a failed statement. */
export interface SqlError {
  /** The server's SQLSTATE or a system error code, or empty. */
  readonly code: string;
  /** The constraint or the index that refused, or empty. */
  readonly constraint: string;
  /** As `ERROR` or `FATAL`, in the language of the server's messages. */
  readonly severity: string;
}

const SQLSTATE = /^[0-9A-DF-Z][0-9A-Z]{4}$/;
/** More layers than any ORM and driver put around an error. */
const MOST_WRAPS = 8;

/** Whether a code is a SQLSTATE: none begins with E, as the system's EPIPE does. */
export function isSqlState(code: string): boolean {
  return SQLSTATE.test(code);
}

/**
 * Finds the server's error in what a driver or an ORM threw. pg has `code` and `constraint`, postgres.js `constraint_name`.
 * Drizzle has the error as its `cause`, Prisma as the `cause` of `meta.driverAdapterError`. The innermost SQLSTATE counts, since
 * some codes of ORMs resemble one.
 */
export function sqlErrorOf(error: unknown): SqlError {
  const layers = layersOf(error);
  const found = layers.findLast(isAnswered) ?? layers.find((layer) => codeOf(layer) !== "");
  return found === undefined ? { code: "", constraint: "", severity: "" } : describe(found);
}

/**
 * The error of the driver in what an ORM threw: the innermost one with a SQLSTATE, or else the outermost that the driver's own message
 * shows, or else the innermost. An ORM may put the values of the statement into its own message.
 * @param isOwn whether a message is one of the driver's
 */
export function driverErrorOf(error: unknown, isOwn: (message: string) => boolean): unknown {
  const layers = layersOf(error);
  // pg's error of a connection that was not opened in time has a broken connection as its cause.
  const own = layers.find(({ message }) => isOwn(textOf(message)));
  return layers.findLast(isAnswered) ?? own ?? layers.at(-1) ?? error;
}

type Properties = Readonly<Record<string, unknown>>;

/** An error and what it wraps, the outermost first. */
function layersOf(error: unknown): readonly Properties[] {
  const layers: Properties[] = [];
  let layer = error;
  while (layers.length < MOST_WRAPS && isObject(layer)) {
    layers.push(layer);
    layer = causeOf(layer);
  }
  return layers;
}

function isAnswered(layer: Properties): boolean {
  return isSqlState(codeOf(layer));
}

function describe(error: Properties): SqlError {
  const { constraint, constraint_name: name, severity } = error;
  const index = isObject(constraint) ? constraint["index"] : constraint;
  return { code: codeOf(error), constraint: textOf(index ?? name), severity: textOf(severity) };
}

function codeOf(error: Properties): string {
  return textOf(error["originalCode"] ?? error["code"]);
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
