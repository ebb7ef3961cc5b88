/** The number of bytes that are encoded at a time: a multiple of three, so that the texts can be joined. V8 is fast only up to about so many. */
const STEP = 6_144;
/** The most bytes of one payload: as base64 they take 262,140 and two quotes. */
const MOST_BYTES = 196_605;

/** Cuts bytes into parts that each fit into a payload, as base64. No bytes are one empty part. */
export function encodeBytes(bytes: Uint8Array, maxPayloadBytes: number): readonly string[] {
  const most = Math.min(MOST_BYTES, Math.max(3, Math.floor((maxPayloadBytes - 2) / 4) * 3));
  const parts: string[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += most) {
    parts.push(encodePart(bytes.subarray(at, at + most)));
  }
  return parts;
}

function encodePart(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += STEP) {
    // A spread argument would take twelve times as long.
    text += btoa(Reflect.apply(String.fromCharCode, null, bytes.subarray(at, at + STEP)));
  }
  return text;
}

/** The bytes of a part. */
export function decodeBytes(part: string): Uint8Array<ArrayBuffer> {
  const text = atob(part);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}
