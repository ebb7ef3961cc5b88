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

/** Bounds each wait. It is shorter than a held poll, and shorter than the silence of a stream. */
export const PATIENCE = { timeout: 10_000 } as const;

/** One event as JSON text. */
export const NOTE = '{"eventType":"NOTE"}';

/** The most live streams of one user, and the most held polls. @see clause W28 in `WIRE.md` */
export const MOST = 32;

/** An answer that may fail before it is awaited, if the check has failed by then. */
export function settled<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => {});
  return answer;
}
