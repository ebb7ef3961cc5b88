import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { followRun } from "@tm/run-events-client";
import { createParser } from "eventsource-parser";
import { runIdOf } from "./append-writer.ts";
import { serveParent } from "./child.ts";
import { readUsage, type Usage } from "./rounds.ts";
import { streamPath } from "./run-server.ts";

/** A process that follows many runs. */
export interface FollowingProcess {
  /** Resolves when every run has had its first event. */
  follow(options: { readonly port: number; readonly runs: number }): Promise<void>;
  /** Resolves when every run has had the event of this sequence. */
  reach(sequence: number): Promise<void>;
  usage(): Usage;
  /** What the heap and its buffers hold after a garbage collection, in bytes. */
  inUse(): Promise<number>;
  /** Events out of order, repeated or missing: 0, or a figure means nothing. */
  wrong(): number;
}

const [, , kind = ""] = process.argv;
const cookie = "session=reader";
const sequences: number[] = [];
let wrong = 0;
let goal = 0;
let short = 0;
let reached = (): void => {};

function take(index: number, sequence: number): void {
  if (sequence !== Number(sequences[index]) + 1) wrong += 1;
  sequences[index] = sequence;
  if (sequence !== goal) return;
  short -= 1;
  if (short === 0) reached();
}

async function followOurs(baseUrl: string, index: number): Promise<void> {
  const run = followRun({ baseUrl, runId: runIdOf(index), credential: { cookie } });
  for await (const { sequence } of run) take(index, sequence);
}

async function followBare(baseUrl: string, index: number): Promise<void> {
  const { body } = await fetch(baseUrl + streamPath(runIdOf(index)), { headers: { cookie } });
  if (body === null) throw new Error("The stream has no body.");
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent({ data }) {
      const frame = JSON.parse(data) as { type: string; event: { sequence: number } };
      if (frame.type === "run_event") take(index, frame.event.sequence);
    },
  });
  for await (const chunk of body) parser.feed(decoder.decode(chunk, { stream: true }));
}

async function reach(sequence: number): Promise<void> {
  goal = sequence;
  short = sequences.filter((last) => last < sequence).length;
  if (short === 0) return;
  await new Promise<void>((resolve) => (reached = resolve));
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

serveParent<FollowingProcess>({
  async follow({ port, runs }) {
    const follow = kind === "ours" ? followOurs : followBare;
    for (let index = 0; index < runs; index++) {
      sequences.push(0);
      void follow(`http://127.0.0.1:${port}`, index);
    }
    await reach(1);
  },
  reach,
  usage: readUsage,
  async inUse() {
    collect();
    // What weak references led to goes with the next one, once this turn is over.
    await nextTurn();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
  wrong: () => wrong,
});
