import { createHash } from "node:crypto";
import type { Played } from "./play.ts";

/** Of a longer body the hash is written. */
const MOST_LENGTH = 32_768;
/** A shorter text is written again each time. */
const LEAST_TWIN = 40;

/**
 * Answers as lines of JSON: a line for each scene at each door, then one for each answer, of its request, head and body. A head or a
 * body that has been in a line before is the number of that line, from 1.
 */
export function encodePlayed(all: readonly Played[]): string {
  const lines: string[] = [];
  const seen = new Map<string, number>();
  function once(text: string): string | number {
    const first = seen.get(text);
    if (first !== undefined) return first;
    if (text.length >= LEAST_TWIN) seen.set(text, lines.length + 1);
    return text;
  }
  let last = "";
  for (const { scene, door, ask, answer, pieces } of all) {
    const title = JSON.stringify({ scene, door });
    if (title !== last) lines.push(title);
    last = title;
    const end = answer.indexOf("\r\n\r\n") + 4;
    const head = once(answer.toString("utf8", 0, end));
    const body = once(textOf(answer.subarray(end)));
    const cut = pieces === undefined ? [] : [pieces];
    lines.push(JSON.stringify([ask, head, body, ...cut]));
  }
  return `${lines.join("\n")}\n`;
}

function textOf(body: Buffer): string {
  if (body.length <= MOST_LENGTH) return body.toString("utf8");
  const hash = createHash("sha256").update(body).digest("hex");
  return `<${body.length} bytes, sha256 ${hash}>`;
}
