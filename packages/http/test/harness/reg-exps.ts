/** A literal of a regular expression in a line of code, with the characters that may precede it. */
const LITERAL =
  /(?<=(?:^|[=(,!:[&|?;{}])\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[])+\/[dgimsuvy]*/g;

/** The expressions of a module, as they are written. @throws Error for one that is built at run time */
export function findRegExps(source: string): readonly string[] {
  const lines = source.split("\n").filter((line) => !/^\s*(\*|\/\/|\/\*)/.test(line));
  if (lines.some((line) => line.includes("RegExp("))) {
    throw new Error("Expected literals only, got an expression that is built at run time.");
  }
  return lines.flatMap((line) => line.match(LITERAL) ?? []);
}

/**
 * Whether the expression takes time in proportion to the text: what repeats without a bound is only ever tried from the text's
 * start, and is not within another repetition. It refuses some that are linear; write those in another way.
 */
export function isLinear(literal: string): boolean {
  const body = literal.slice(1, literal.lastIndexOf("/"));
  // An escape or a class is one character, and none of the signs that are looked for.
  const plain = body.replace(/\\./g, "x").replace(/\[[^\]]*\]/g, "x");
  const repeats = (text: string): boolean => /[+*]|\{\d+,\}/.test(text);
  const nested = [...plain.matchAll(/\(([^()]*)\)(?:[+*]|\{\d+,\})/g)];
  if (nested.some(([, inner = ""]) => repeats(inner))) return false;
  return splitAlternatives(plain).every((part) => part.startsWith("^") || !repeats(part));
}

/** The alternatives outside of any group. */
function splitAlternatives(plain: string): readonly string[] {
  const parts = [""];
  let depth = 0;
  for (const sign of plain) {
    if (sign === "(") depth += 1;
    if (sign === ")") depth -= 1;
    if (sign === "|" && depth === 0) parts.push("");
    else parts.push((parts.pop() ?? "") + sign);
  }
  return parts;
}
