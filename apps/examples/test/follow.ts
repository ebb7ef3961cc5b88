import { EventSource } from "eventsource";
import { onTestFinished } from "vitest";
import type { Owner } from "../../server/test/start-server.ts";
import type { Frame } from "./open-stream.ts";

/** A reader that comes back by itself, as a browser does. */
export interface Following {
  readonly gotFirst: Promise<void>;
  /** Whether it has lost its stream and is reconnecting. */
  readonly comesBack: Promise<void>;
  /** The sequences that it got, once the run has ended. Rejects if it gives up before. */
  readonly all: Promise<readonly number[]>;
}

/** Follows a run with the npm package `eventsource`. It is closed when the test has finished. */
export function follow(url: string, cookie: string, owner: Owner = { onTestFinished }): Following {
  const sequences: number[] = [];
  const first = Promise.withResolvers<void>();
  const back = Promise.withResolvers<void>();
  const all = Promise.withResolvers<readonly number[]>();
  let requests = 0;
  const source = new EventSource(url, {
    fetch(input, init) {
      requests += 1;
      if (requests === 2) back.resolve();
      return fetch(input, { ...init, headers: { ...init.headers, cookie } });
    },
  });
  owner.onTestFinished(() => source.close());
  source.addEventListener("message", ({ data }) => {
    const { type, event } = JSON.parse(data as string) as Frame;
    if (event !== undefined) sequences.push(event.sequence);
    if (event !== undefined) first.resolve();
    if (type !== "run_finished") return;
    source.close();
    all.resolve(sequences);
  });
  source.addEventListener("error", () => {
    if (source.readyState === source.CLOSED) all.reject(new Error("The EventSource gave up."));
  });
  return { gotFirst: first.promise, comesBack: back.promise, all: all.promise };
}
