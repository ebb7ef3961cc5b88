/**
 * Cuts a text into parts that each fit into a payload, even if each UTF-16 unit takes an escape of six bytes. A character of two units
 * stays whole.
 */
export function splitText(text: string, maxPayloadBytes: number): readonly string[] {
  const most = Math.max(2, Math.floor((Math.min(maxPayloadBytes, 262_144) - 2) / 6));
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const to = at + most;
    const isHigh = to < text.length && (text.charCodeAt(to - 1) & 0xfc00) === 0xd800;
    parts.push(text.slice(at, isHigh ? to - 1 : to));
    at = isHigh ? to - 1 : to;
  }
  return parts;
}
