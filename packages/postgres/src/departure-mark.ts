/** After which departures a reader of changed runs goes on. */
export interface DepartureMark {
  /**
   * Names where the departures are: when the server started, the database, and the file of the table. After a start the server may be
   * another one, or have a restored backup, in which other transactions get the same numbers. A backup that is restored without a start is in
   * another database or table. Or it fills the table after a `TRUNCATE`, which gives the table another file.
   */
  readonly place: string;
  /** The transactions whose departures the reader has. */
  readonly snapshot: string;
  /** Where it goes on within what is not in the snapshot, and the snapshot that it has then; `null` at the end of a page. */
  readonly rest: { readonly until: string; readonly xid: string; readonly runKey: number } | null;
}

const MARK = /^([0-9a-z]{1,10}-\d{1,10}-\d{1,10})_([\d:,]+)(?:_([\d:,]+)_(\d{1,20})_(\d{1,16}))?$/;
const SNAPSHOT = /^\d{1,20}:\d{1,20}:(?:\d{1,20}(?:,\d{1,20})*)?$/;
/** Postgres takes numbers of transactions below this as `xid8`. */
const END = 2n ** 63n;
/** No transaction has a number of which the last 32 bits are 0. */
const EPOCH = 2n ** 32n;
/** The most characters of a snapshot in a mark. */
const MOST_CHARACTERS = 900;

/** Writes a mark as text for a cursor. */
export function encodeMark({ place, snapshot, rest }: DepartureMark): string {
  const mark = `${place}_${shorten(snapshot)}`;
  return rest === null ? mark : `${mark}_${shorten(rest.until)}_${rest.xid}_${rest.runKey}`;
}

/** Reads what `encodeMark` wrote; `null` for any other text. */
export function parseMark(text: string): DepartureMark | null {
  const [, place, snapshot, until, xid, runKey] = MARK.exec(text) ?? [];
  if (place === undefined || snapshot === undefined || !isSnapshot(snapshot)) return null;
  const mark = { place, snapshot };
  if (until === undefined || xid === undefined) return { ...mark, rest: null };
  if (!isSnapshot(until) || BigInt(xid) >= END) return null;
  return { ...mark, rest: { until, xid, runKey: Number(runKey) } };
}

/** Whether Postgres reads the text as a snapshot: else a statement with it would fail. */
function isSnapshot(text: string): boolean {
  if (!SNAPSHOT.test(text)) return false;
  const [from = "", to = "", between = ""] = text.split(":");
  const [xmin, xmax] = [BigInt(from), BigInt(to)];
  let last = xmin - 1n;
  for (const xid of between === "" ? [] : between.split(",").map(BigInt)) {
    if (xid <= last || xid >= xmax) return false;
    last = xid;
  }
  return xmin % EPOCH > 0n && xmax % EPOCH > 0n && xmin <= xmax && xmax < END;
}

/** A snapshot with very many transactions under way becomes one of before the first of them: some departures come again. */
function shorten(snapshot: string): string {
  const [xmin = ""] = snapshot.split(":");
  return snapshot.length <= MOST_CHARACTERS ? snapshot : `${xmin}:${xmin}:`;
}
