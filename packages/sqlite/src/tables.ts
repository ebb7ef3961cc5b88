/** The store's table names. */
export interface Tables {
  readonly runs: string;
  readonly events: string;
  readonly receipts: string;
  /** Empty except while a probe writes. */
  readonly probes: string;
  readonly schema: string;
}

const TABLE_PREFIX = /^(?!sqlite_)[a-z_][a-z0-9_]*$/i;

/**
 * The table names under a prefix. They need no quoting.
 * @throws TypeError unless the prefix is an identifier that SQLite does not reserve
 */
export function tablesOf(tablePrefix: string): Tables {
  if (!TABLE_PREFIX.test(tablePrefix)) {
    throw new TypeError(
      `Expected \`tablePrefix\` to match ${TABLE_PREFIX.source}, got \`${tablePrefix}\`.`,
    );
  }
  return {
    runs: `${tablePrefix}runs`,
    events: `${tablePrefix}events`,
    receipts: `${tablePrefix}receipts`,
    probes: `${tablePrefix}probes`,
    schema: `${tablePrefix}schema`,
  };
}
