import { assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { notes } from "../draft.ts";
import { pathOf, record, tailLive } from "../runs.ts";

/** A `since`, a `Last-Event-ID`, and what is to come of them. */
type Resumption<Outcome> = readonly [query: string, header: string | null, outcome: Outcome];

function headersOf(header: string | null): Readonly<Record<string, string>> {
  return header === null ? {} : { "last-event-id": header };
}

/** Cases of W20 in `WIRE.md`: where a stream starts. */
export const cursors: readonly HttpTrialCase[] = [
  {
    name: "W20 the cursor is Last-Event-ID, else since, else 0; the header wins even when it is smaller",
    async run(trial) {
      const runId = await record(trial, ...notes(9));
      const cases: readonly Resumption<number>[] = [
        ["", null, 0],
        ["since=4", null, 4],
        ["", "4", 4],
        ["since=2", "6", 6],
        ["since=6", "2", 2],
        ["since=6", "0", 0],
        ["since=999", "3", 3],
      ];
      for (const [query, header, cursor] of cases) {
        const stream = await tailLive(trial, runId, query, headersOf(header));
        const [connected, first] = [await stream.next(), await stream.next()];
        stream.leave();
        const sequence = (first.message["event"] as { readonly sequence?: unknown })?.sequence;
        assertEqual(
          [connected.message["since"], connected.id, sequence],
          [cursor, String(cursor), cursor + 1],
          `since, id and first event with ${query || "no since"} and Last-Event-ID ${header}`,
        );
      }
    },
  },
  {
    name: "W20 a malformed Last-Event-ID is ignored",
    async run(trial) {
      const runId = await record(trial, ...notes(3));
      for (const header of ["x", "", "-1", "+3", "1e3", "01", "1.0", "3, 4", "\u00e9"]) {
        for (const [query, cursor] of [
          ["", 0],
          ["since=2", 2],
        ] as const) {
          const stream = await tailLive(trial, runId, query, headersOf(header));
          const { message } = await stream.next();
          stream.leave();
          assertEqual(message["since"], cursor, `since with Last-Event-ID ${header}`);
        }
      }
    },
  },
  {
    name: "W20 a malformed since is 400, with any Last-Event-ID",
    async run(trial) {
      const path = pathOf(await record(trial, "NOTE"), "/stream");
      for (const query of ["since=x", "since=", "since=-1", "since=01", "since=0&since=0"]) {
        for (const header of [null, "0"]) {
          const headers = { ...trial.owner.session, ...headersOf(header) };
          const answer = await trial.send({ path: `${path}?${query}`, headers });
          assertProblem(answer, 400, "invalid_cursor");
        }
      }
    },
  },
];
