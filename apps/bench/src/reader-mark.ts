/** What stands before and behind the sequence of each event, and nowhere else. */
export interface Mark {
  readonly before: string;
  readonly behind: string;
}

/** A frame's `id` line, which comes last in those of ours: its end is the end of a delivery. */
export const ID_LINE: Mark = { before: "\nid: ", behind: "\n\n" };
/** The sequence in an event's own JSON. */
export const SEQUENCE_FIELD: Mark = { before: '"sequence":', behind: "," };
