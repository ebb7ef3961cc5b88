/** A model says this many tokens a second. */
export const TOKENS_A_SECOND = 50;
/** The text of each token. */
export const TOKEN = " whale";

/** Answers that are made at the same time. */
export interface ChatLoad {
  /** The number of chats that have an answer. */
  readonly chats: number;
  /** The number of tokens that an answer has. */
  readonly tokens: number;
}
