/** Words that the project does not use, each with what to write instead. `docs/glossary.md` has the words that it uses. */
const BANNED: Readonly<Record<string, string>> = {
  whoever: "the caller, a client that, anyone who",
  whatever: "any, every, no matter what",
  somebody: "another client, another worker, a caller",
  nobody: "no client, no worker, no reader",
  anew: "again",
  bell: "notification",
  bells: "notifications",
  ring: "notify",
  rings: "notifies",
  rung: "notified",
  told: "notified, sent, called with",
  tells: "notifies, sends, shows",
  hears: "receives, is subscribed",
  beside: "next to, besides, with",
  "is none": "is not a …, does not exist",
  "are none": "are not …, do not exist",
  "stands behind": "comes after, follows",
};

/** A place of a text with a banned word. */
export interface BannedWord {
  /** From 1. */
  readonly line: number;
  readonly word: string;
  /** What to write. */
  readonly instead: string;
}

/** What may be between two words of a phrase: blanks, or the end of a comment's line and the begin of the next. */
const GAP = String.raw`(?:[ \t]+|\s*\n\s*(?:\*|\/\/)?\s*)`;

const ANY_BANNED = new RegExp(
  String.raw`(?<![a-z])(?:${Object.keys(BANNED)
    .map((phrase) => phrase.replaceAll(" ", GAP))
    .join("|")})(?![a-z])`,
  "gi",
);

/**
 * The banned words of a text, in its order: in prose of any case, over an end of a line, and as a word of a name, such as
 * `isTold`.
 */
export function findBannedWords(text: string): readonly BannedWord[] {
  const words = text.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "\u200b");
  return [...words.matchAll(ANY_BANNED)].map(({ index, 0: found }) => {
    const word = found.toLowerCase().replaceAll(new RegExp(GAP, "g"), " ");
    const line = words.slice(0, index).split("\n").length;
    return { line, word, instead: BANNED[word] ?? "" };
  });
}
