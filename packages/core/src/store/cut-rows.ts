/** The most rows of one insert. */
const MOST_ROWS = 1_000;
/** The most UTF-16 units of text in one insert of several rows: escaped, they stay under 4 MiB. */
const MOST_TEXT = 1_048_576;

/** A row, with the parts that may be long. */
interface TextRow {
  readonly payload?: string;
  readonly phase?: string | null;
}

/** Cuts rows into pieces for one statement each, in their order. Databases bound a statement, in parameters or in bytes. */
export function* cutRows<Row extends TextRow>(rows: readonly Row[]): Generator<readonly Row[]> {
  let from = 0;
  let text = 0;
  for (const [at, { payload = "", phase = null }] of rows.entries()) {
    const more = payload.length + (phase ?? "").length;
    if (at - from === MOST_ROWS || (at > from && text + more > MOST_TEXT)) {
      yield rows.slice(from, at);
      from = at;
      text = 0;
    }
    text += more;
  }
  if (from < rows.length) yield from === 0 ? rows : rows.slice(from);
}
