import type { Client, RunEventsPage } from "@tm/run-events-client/runs";
import { isTerminal as isEnd, type RunEvent, type RunStatus } from "@tm/run-events-core";
import { eachJsonItem, eachJsonMember } from "@tm/run-events-core/wire";
import { encodeEventJson, encodeEventLine } from "./event-line.ts";
import type { Command } from "./parse-command.ts";
import { EXIT } from "./exit-code.ts";
import { createScreen } from "./screen.ts";

/** The longest that the server may hold a poll, in seconds. @see clause W17 in `WIRE.md` */
const WAIT_SECONDS = 25;
const PAGE_LIMIT = 1_000;
/** The pause after a poll without new events, in milliseconds, since the server may answer each poll at once. */
const EMPTY_MS = 500;

const EXIT_OF: Readonly<Record<RunStatus, number>> = {
  queued: EXIT.server,
  running: EXIT.server,
  waiting: EXIT.server,
  completed: EXIT.ok,
  failed: EXIT.runFailed,
  cancelled: EXIT.runCancelled,
};

/**
 * Follows a run to its end and writes each event, through restarts of the server.
 * @returns the exit code of the run's status
 * @throws RunEventsError if the run cannot be read
 */
export async function tailRun(
  runs: Client,
  query: Pick<Extract<Command, { readonly name: "tail" }>, "runId" | "since" | "tail" | "json">,
): Promise<number> {
  const { runId, json } = query;
  let { since, tail } = query;
  /** The time of the event `since`. @see clause W46 in `WIRE.md` */
  let at: string | undefined;
  let page: RunEventsPage | null = null;
  let isAway = false;
  const screen = createScreen({
    stdout: process.stdout,
    stderr: process.stderr,
    progress() {
      const phase = page?.currentPhase == null ? "" : ` · ${page.currentPhase}`;
      return `${runId} · ${page?.runStatus ?? "…"}${phase} · ${since}`;
    },
    // End like a program that writes to a closed pipe.
    onClosed(output) {
      if (output === "stdout") process.exit(EXIT.signal + SIGPIPE);
    },
  });
  const isTerminal = process.stdout.isTTY;
  const encode = (text: string): string =>
    json ? encodeEventJson(text, isTerminal) : encodeEventLine(JSON.parse(text) as RunEvent);
  try {
    for (;;) {
      let texts: readonly string[] = [];
      const parseJson = (text: string): unknown => {
        texts = splitEvents(text);
        return JSON.parse(text);
      };
      page = await runs.events(
        runId,
        {
          ...(tail === null ? { since, at } : { tail }),
          limit: PAGE_LIMIT,
          waitSeconds: WAIT_SECONDS,
          parseJson,
        },
        {
          ...(page === null ? {} : { patienceMs: Number.POSITIVE_INFINITY }),
          onRetry({ message }) {
            if (!isAway) screen.note(`${message.replace(/[.?]$/, "")}: trying again`);
            isAway = true;
          },
        },
      );
      if (tail !== null) since = page.since ?? since;
      tail = null;
      if (isAway) screen.note("the server is back");
      isAway = false;
      const lines: string[] = [];
      // A server may repeat events, or leave some out.
      for (const [index, { sequence, createdAt }] of page.events.entries()) {
        if (sequence !== since + 1) continue;
        lines.push(encode(texts[index] ?? ""));
        [since, at] = [sequence, createdAt];
      }
      if (lines.length > 0) await screen.write("stdout", `${lines.join("\n")}\n`);
      if (isEnd(page.runStatus) && since >= page.lastSequence) {
        screen.note(`run ${runId} ${page.runStatus}`);
        return EXIT_OF[page.runStatus];
      }
      if (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, EMPTY_MS));
    }
  } finally {
    screen.close();
  }
}

const SIGPIPE = 13;

/** The events of a page, each as the JSON text that the server sent. */
function splitEvents(page: string): readonly string[] {
  // If a member comes twice, the last one counts, as in `JSON.parse`.
  const events = [...eachJsonMember(page)].findLast(({ key }) => key === "events");
  return events === undefined ? [] : [...eachJsonItem(events.text)];
}
