import type { RunEvent, RunStatus } from "@tm/run-events-core";
import { encodeSummary } from "./encode-summary.ts";
import { escapeUnseen } from "./escape-unseen.ts";

/** The most answers to choose from. A longer list is answered in words. */
const MOST_CHOICES = 12;
/** The longest question, in characters. The event has all of it. */
const MOST_LENGTH = 2_000;

/** An answer that a click gives. */
interface Choice {
  readonly label: string;
  readonly payload: unknown;
}

/** What a waiting run asks its owner. */
export interface Question {
  /** The sequence of the event that asks. */
  readonly sequence: number;
  readonly words: string;
  /** The answers to choose from; empty if the answer is words. */
  readonly choices: readonly Choice[];
}

const APPROVAL: readonly Choice[] = [
  { label: "Approve", payload: { approved: true } },
  { label: "Deny", payload: { approved: false } },
];

/**
 * The question of a run that waits; `null` for any other run. The words are the payload if it is text, else its `question`, `prompt` or
 * `message`, else its JSON. With `options`, a list of texts, one of them is the answer. With `"kind": "approval"` it is
 * `{ "approved": true }` or `false`.
 * @see clause W38 in `WIRE.md` of `@tm/run-events-http`
 */
export function openQuestion(
  events: readonly RunEvent[],
  status: RunStatus | null,
): Question | null {
  if (status !== "waiting") return null;
  const asked = events.findLast(({ eventType }) => eventType === "INPUT_REQUESTED");
  if (asked === undefined) return null;
  const { sequence, payload } = asked;
  return { sequence, words: wordsOf(payload), choices: choicesOf(payload) };
}

function wordsOf(payload: unknown): string {
  const { question, prompt, message } = membersOf(payload);
  const words = [payload, question, prompt, message].find((one) => typeof one === "string");
  if (words !== undefined) return escapeUnseen(`${words}`.slice(0, MOST_LENGTH));
  return payload === null ? "The run waits for an answer." : encodeSummary(payload);
}

function choicesOf(payload: unknown): readonly Choice[] {
  const { kind, options } = membersOf(payload);
  if (kind === "approval") return APPROVAL;
  if (!Array.isArray(options) || options.length > MOST_CHOICES) return [];
  const texts = options.filter((one) => typeof one === "string");
  if (texts.length < options.length) return [];
  return [...new Set(texts)].map((text) => ({ label: escapeUnseen(text), payload: text }));
}

function membersOf(payload: unknown): Readonly<Record<string, unknown>> {
  return typeof payload === "object" && payload !== null ? { ...payload } : {};
}
