import { MAX_RUNS } from "@tm/run-events-core/wire";
import type { RunBeginning, RunListener } from "./followed-run.ts";
import type { FeedListener, FeedStart } from "../feed/followed-feed.ts";
import { RunsReader } from "./follow-runs.ts";
import type { RunsReaderOptions } from "./runs-reader-options.ts";
import { limitFetch } from "../http/limit-fetch.ts";

/** How many streams there may be. A browser has six connections to a host, and other requests need some of them. */
const MOST_STREAMS = 2;
/** How many polls that the server answers at once may be on their way. */
const MOST_POLLS = 2;

/**
 * Follows any number of runs, and the owner's feed, over few connections: one for each hundred, and two at most. The runs beyond are polled, two requests at a
 * time. A run stays in its connection, so that a change of the set opens only one connection again.
 * @see clauses W47 and W48 in `WIRE.md` of `@tm/run-events-http`
 */
export class RunsReaders {
  readonly #options: RunsReaderOptions;
  readonly #readers: { readonly reader: RunsReader; count: number }[] = [];

  constructor(options: RunsReaderOptions) {
    const { fetch = globalThis.fetch } = options;
    this.#options = { ...options, pollFetch: limitFetch(fetch, MOST_POLLS) };
  }

  /**
   * Follows one more run, which is not followed yet.
   * @returns stops following it. To be called once, also after its end
   * @throws TypeError if the credential cannot be sent
   * @throws as `RunsReader.add`
   */
  add(runId: string, beginning: RunBeginning, listener: RunListener): () => void {
    const place = this.#place();
    const stop = place.reader.add(runId, beginning, listener);
    place.count += 1;
    return () => {
      place.count -= 1;
      stop();
    };
  }

  /** Follows the owner's feed as well, over the first connection. As `RunsReader.addFeed`. */
  addFeed(start: FeedStart, listener: FeedListener): () => void {
    const place = this.#readers[0] ?? this.#open();
    return place.reader.addFeed(start, listener);
  }

  close(): void {
    for (const { reader } of this.#readers) reader.close();
  }

  /** The first connection with a place, or else the last one, which polls what does not fit into its stream. */
  #place(): { readonly reader: RunsReader; count: number } {
    const free = this.#readers.find(({ count }) => count < MAX_RUNS);
    const last = this.#readers.at(-1);
    if (free !== undefined) return free;
    if (last !== undefined && this.#readers.length === MOST_STREAMS) return last;
    return this.#open();
  }

  #open(): { readonly reader: RunsReader; count: number } {
    const place = { reader: new RunsReader(this.#options), count: 0 };
    this.#readers.push(place);
    return place;
  }
}
