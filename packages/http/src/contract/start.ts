import { invalidCursor, requests } from "@tm/run-events-core/wire";
import {
  type Asked,
  integerParameter,
  invalidRequest,
  type Parameter,
  textParameter,
} from "./parameter.ts";
import { CURSOR } from "./schema.ts";

/** Where a reader of one run begins. */
export interface Start {
  readonly since: number;
  /** The time of the event `since`, if the reader has it. @see clause W46 in `WIRE.md` */
  readonly at: string | undefined;
  /** The number of events before the end, in place of `since`. @see clause W45 in `WIRE.md` */
  readonly tail: number | null;
}

const SINCE: Parameter<number> = {
  described: {
    name: "since",
    in: "query",
    description: "The last sequence that the reader has.",
    schema: { ...CURSOR, default: "0" },
  },
  parse({ query }) {
    const values = query.getAll("since");
    const since = values.length > 1 ? null : requests.parseCursor(values[0] ?? "0");
    if (since === null) throw invalidCursor(values.length > 1 ? values : values[0]);
    return since;
  },
};

const AT = textParameter(
  "at",
  "The `createdAt` of the event `since`, as the reader got it. If the log has lost that event, the answer is `history_changed` (W46).",
  { type: "string", format: "date-time" },
);

const TAIL = integerParameter(
  "tail",
  "Begins this many events before the end. Not together with `since` (W45).",
  { most: requests.MAX_TAIL, fallback: null },
);

/** The parameters of {@link parseStart}. */
export const START: readonly Parameter<unknown>[] = [SINCE, AT, TAIL];

/**
 * Parses where a reader begins: after 0 by default.
 * @throws RunEventsError `invalid_cursor`, `invalid_request`
 * @see clauses W15, W45 and W46 in `WIRE.md`
 */
export function parseStart(asked: Asked): Start {
  const since = SINCE.parse(asked);
  const tail = TAIL.parse(asked);
  if (tail !== null && asked.query.has("since"))
    throw invalidRequest(
      "Expected `since` or `tail`, got both. Leave out `tail` if you have events already.",
    );
  const at = AT.parse(asked) ?? undefined;
  requests.checkAt(at, { since });
  return { since, at, tail };
}
