/** The path of all runs, as cases write it. */
export const RUNS = "/v1/agent-runs";
/** The path of the stream of many runs and of feeds. @see clauses W47 and W48 in `WIRE.md` */
export const RUNS_STREAM: string = `${RUNS}/stream`;
/** The headers of a body in JSON. */
export const JSON_TYPE = { "content-type": "application/json" };
/** The headers of a body with one event a line. */
export const LINES_TYPE = { "content-type": "application/x-ndjson" };

/** A query, as text or by its parameters. */
export type Query = string | Readonly<Record<string, string | number>>;

/** A path with its query. */
export function withQuery(path: string, query: Query): string {
  const members = Object.entries(query).map(([name, value]) => [name, String(value)]);
  const text = typeof query === "string" ? query : new URLSearchParams(members).toString();
  return text === "" ? path : `${path}?${text}`;
}
