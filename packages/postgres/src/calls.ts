import { storeClosed } from "@tm/run-events-core/store";
import type { SchemaCheck } from "./check-schema.ts";
import type { Connections } from "./connections.ts";
import { storeFailure, TransactionOver } from "./failure.ts";
import type { Statements } from "./sql/statements.ts";

/**
 * The calls of one store, until it is closed. A driver's error becomes a `RunEventsError`.
 * @see clauses S18 and S20 in `STORE.md`
 */
export class Calls {
  readonly #check: SchemaCheck;
  readonly #connections: Connections;
  readonly #sql: Statements;
  #probing: Promise<number> | null = null;
  #closing: Promise<void> | null = null;

  constructor(check: SchemaCheck, connections: Connections, sql: Statements) {
    this.#check = check;
    this.#connections = connections;
    this.#sql = sql;
  }

  get isClosed(): boolean {
    return this.#closing !== null;
  }

  /** Makes a call, even if the tables may be missing. */
  async guard<T>(call: () => Promise<T>): Promise<T> {
    if (this.isClosed) throw storeClosed();
    try {
      return await call();
    } catch (error) {
      throw error instanceof TransactionOver ? error : storeFailure(error);
    }
  }

  /** Makes a call on the store's tables. */
  perform<T>(call: () => Promise<T>): Promise<T> {
    return this.guard(async () => {
      await this.#check.verifyOnce();
      return call();
    });
  }

  /**
   * Probes the store, one probe at a time, so that a hanging database costs one connection.
   * @see clause S31 in `STORE.md`
   */
  probe(): Promise<number> {
    this.#probing ??= this.guard(() => this.#ask()).finally(() => (this.#probing = null));
    return this.#probing;
  }

  close(): Promise<void> {
    this.#closing ??= this.#connections.notifications.close();
    return this.#closing;
  }

  async #ask(): Promise<number> {
    const { probeQuery } = this.#connections;
    await this.#check.verify(probeQuery);
    const [row] = (await probeQuery(this.#sql.probe)) as readonly [{ readonly nowMs: unknown }];
    return Number(row.nowMs);
  }
}
