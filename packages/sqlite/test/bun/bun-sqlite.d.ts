/** The parts of Bun's SQLite that the tests use. It has no package of types without those of all of Bun. */
declare module "bun:sqlite" {
  /** A handle as Bun's documents have it. */
  export class Database {
    constructor(file: string);
    readonly inTransaction: boolean;
    exec(sql: string): unknown;
    prepare(sql: string): BunStatement;
    close(): void;
  }

  /** A prepared statement. */
  export interface BunStatement {
    run(...values: readonly unknown[]): unknown;
    get(...values: readonly unknown[]): unknown;
    all(...values: readonly unknown[]): unknown[];
  }
}
