import type { ReadQuery, ReadResult } from "../rules/page.ts";
import type { RunRecord } from "../rules/run.ts";

/** The heads of one owner's runs, as they are now. */
export class OwnedHeads {
  readonly #source: { read(query: ReadQuery): Promise<ReadResult | null> };
  readonly #ownerId: string;
  /** The reads under way that others may share. */
  readonly #reading = new Map<string, Promise<RunRecord | null>>();

  constructor(source: { read(query: ReadQuery): Promise<ReadResult | null> }, ownerId: string) {
    this.#source = source;
    this.#ownerId = ownerId;
  }

  /** By their ids; `null` for a run that does not exist. */
  async read(runIds: readonly string[]): Promise<ReadonlyMap<string, RunRecord | null>> {
    const heads = await Promise.all(runIds.map((runId) => this.#read(runId)));
    return new Map(runIds.map((runId, at) => [runId, heads[at] ?? null]));
  }

  /** The same for one run, maybe as of a time before the call: for what never changes. Many readers that begin ask at once. */
  readShared(runId: string): Promise<RunRecord | null> {
    const underWay = this.#reading.get(runId);
    if (underWay !== undefined) return underWay;
    const read = this.#read(runId).finally(() => this.#reading.delete(runId));
    this.#reading.set(runId, read);
    return read;
  }

  async #read(runId: string): Promise<RunRecord | null> {
    // The head alone: no event follows this cursor.
    const since = Number.MAX_SAFE_INTEGER - 1;
    const query = { runId, ownerId: this.#ownerId, since, limit: 1, maxBytes: 1 };
    return (await this.#source.read(query))?.run ?? null;
  }
}
