/** The text before and after the sequence of each event, and nowhere else. */
export interface Mark {
  readonly before: string;
  readonly after: string;
}

/** A frame's `id` line, which comes last in those of ours: its end is the end of a delivery. */
export const ID_LINE: Mark = { before: "\nid: ", after: "\n\n" };
/** The sequence in an event's own JSON. */
export const SEQUENCE_FIELD: Mark = { before: '"sequence":', after: "," };
