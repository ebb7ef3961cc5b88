/** A model says this many tokens a second. */
export const TOKENS_A_SECOND = 50;
/** The text of each token. */
export const TOKEN = " whale";

/** Answers that are made at the same time. */
export interface ChatLoad {
  /** How many chats have an answer. */
  readonly chats: number;
  /** How many tokens an answer has. */
  readonly tokens: number;
}

/** When the token with this number is due, in milliseconds after the answer was asked for. The first is due at once. */
export function dueMs(token: number): number {
  return (token * 1_000) / TOKENS_A_SECOND;
}

/** The ids of chats. */
export function idsOf(prefix: string, chats: number): readonly string[] {
  return Array.from({ length: chats }, (_, index) => `${prefix}-${index}`);
}
