import type { SqliteDatabase } from "./driver.ts";

const EXPECTED =
  "Expected an open, synchronous SQLite handle, such as `new Database(path)` of better-sqlite3 or `new DatabaseSync(path)` of node:sqlite";

/**
 * Refuses a value that cannot be a handle.
 * @throws TypeError, with what to pass instead, for a path, a promise, an asynchronous driver, or a handle that does not show
 * whether a transaction is open, as node:sqlite's before Node 22.16
 */
export function checkHandle(db: SqliteDatabase): void {
  const given: unknown = db;
  if (typeof given === "string" || given instanceof URL) {
    throw new TypeError(`${EXPECTED}, got a path. Open the file with your driver and pass that.`);
  }
  if (isThenable(given)) throw new TypeError(`${EXPECTED}, got a promise. Await it first.`);
  if (typeof given === "function") {
    throw new TypeError(`${EXPECTED}, got a class or a function. Call it: \`new Database(path)\`.`);
  }
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`${EXPECTED}, got ${String(given)}.`);
  }
  if ("databaseSize" in given) {
    throw new TypeError(
      `${EXPECTED}, got the \`sql\` of a Durable Object. Pass its \`ctx.storage\`.`,
    );
  }
  if (!hasMethod(given, "prepare") || !hasMethod(given, "exec")) {
    throw new TypeError(
      `${EXPECTED}, got an object without \`prepare\` and \`exec\`. Asynchronous drivers and network clients cannot be used.`,
    );
  }
  if ("inTransaction" in given || "isTransaction" in given) return;
  throw new TypeError(
    `${EXPECTED}, got one that does not show whether a transaction is open on it. ${
      given.constructor.name === "DatabaseSync"
        ? "This Node is too old for it: node:sqlite needs Node 22.16 or newer for a database in memory, and 22.23 or 24.15 for a file."
        : "Asynchronous drivers cannot be used."
    }`,
  );
}

/**
 * Refuses a driver that answers with promises.
 * @throws TypeError if the answer is a promise
 */
export function checkSynchronous(answer: unknown): void {
  if (!isThenable(answer)) return;
  throw new TypeError(
    `${EXPECTED}, got one that answers with promises. Asynchronous drivers cannot be used.`,
  );
}

function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && hasMethod(value, "then");
}

function hasMethod(value: object, name: string): boolean {
  return typeof (value as Readonly<Record<string, unknown>>)[name] === "function";
}
