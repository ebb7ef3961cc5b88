/** JSON values that a server must refuse where it expects `null` or a text of 1 to `most` characters. */
export function badShortTexts(most: number): readonly string[] {
  return [
    '""',
    JSON.stringify("x".repeat(most + 1)),
    JSON.stringify("\u{1f375}".repeat(most + 1)),
    '"a\\u0000b"',
    '"a\\n"',
    '"\\u007f"',
    '"\\u0085"',
    '"\\ud83c"',
    "7",
    "true",
    '["tea"]',
    "{}",
  ];
}
