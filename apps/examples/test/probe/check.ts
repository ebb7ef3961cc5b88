import type { Client } from "../client.ts";
import type { RecipeProcess } from "../recipe-process.ts";

/** A server that has been started, and a client of it. */
export interface Host extends Client {
  readonly process: RecipeProcess;
}

/** One check of the probe. All hosts have the same ones. */
export interface Check {
  /** Its name in the table. */
  readonly id: string;
  /** Its clauses, and what has to hold: the name of its test. */
  readonly name: string;
  /**
   * @returns what the table says of it; nothing where it says that it holds
   * @throws if it does not hold
   */
  run(host: Host): Promise<string | void>;
}

/** Bounds the wait for what has to come. It is less than a poll is held, and than a stream is silent. */
export const PATIENCE = { timeout: 10_000 } as const;

/** One event as JSON text. */
export const NOTE = '{"eventType":"NOTE"}';
