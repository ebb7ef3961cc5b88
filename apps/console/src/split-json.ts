/** A piece of JSON text. */
export interface JsonPiece {
  readonly kind: "name" | "string" | "word" | "rest";
  readonly text: string;
}

const PIECE = /("(?:[^"\\]|\\.)*")(\s*:)?|[-\d][\d.eE+-]*|true|false|null|[^"\-\dtfn]+/g;

/** Splits JSON text into pieces of one colour each. The pieces together are the text. */
export function splitJson(json: string): readonly JsonPiece[] {
  const pieces: JsonPiece[] = [];
  for (const [text, string, colon] of json.matchAll(PIECE)) {
    if (string === undefined) {
      pieces.push({ kind: /^[-\dtfn]/.test(text) ? "word" : "rest", text });
    } else {
      pieces.push({ kind: colon === undefined ? "string" : "name", text: string });
      if (colon !== undefined) pieces.push({ kind: "rest", text: colon });
    }
  }
  return pieces;
}
