import type { RunEvent, RunStatus } from "@tm/run-events-core";
import { escapeText } from "@tm/run-events-core/wire";
import { encodeSummary } from "./encode-summary.ts";
import { labelsOf } from "./labels.ts";

/** The most answers to choose from. A longer list is answered in words. */
const MOST_CHOICES = 12;
/** The longest question, in characters. The event has all of it. */
const MOST_LENGTH = 2_000;

/** An answer that a click gives. */
interface Choice {
  readonly label: string;
  readonly payload: unknown;
}

/** The question that a waiting run asks its owner. */
export interface Question {
  /** The sequence of the event that asks. */
  readonly sequence: number;
  /** The last sequence while the question is open. An answer names it, so that it does not land on a later question. */
  readonly lastSequence: number;
  readonly words: string;
  /** The answers to choose from; empty if the answer is written. */
  readonly choices: readonly Choice[];
  /** The JSON types that the schema allows for the answer; empty for any type. `null` if the answer is plain text. */
  readonly types: readonly string[] | null;
}

const APPROVAL: readonly Choice[] = [
  { label: "Approve", payload: { approved: true } },
  { label: "Deny", payload: { approved: false } },
];

/**
 * The question of a run that waits; `null` for any other run. The words are the payload if it is text, else its `question`, `prompt` or
 * `message`, else its JSON. With `options`, a list of texts, one of them is the answer. With `"kind": "approval"` it is
 * `{ "approved": true }` or `false`. With a `schema`, unless it is of text alone, the answer is JSON.
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
  const choices = choicesOf(payload);
  const { sequence: lastSequence } = events.at(-1) ?? asked;
  return { sequence, lastSequence, words: wordsOf(payload), choices, types: typesOf(payload) };
}

function wordsOf(payload: unknown): string {
  const { question, prompt, message } = membersOf(payload);
  const words = [payload, question, prompt, message].find((one) => typeof one === "string");
  if (words !== undefined) {
    const lines = `${words}`.slice(0, MOST_LENGTH).split("\n");
    return lines.map(escapeText).join("\n");
  }
  return payload === null ? "The run waits for an answer." : encodeSummary(payload);
}

function choicesOf(payload: unknown): readonly Choice[] {
  const { kind, options } = membersOf(payload);
  if (kind === "approval") return APPROVAL;
  if (!Array.isArray(options) || options.length > MOST_CHOICES) return [];
  const texts = options.filter((one) => typeof one === "string");
  if (texts.length < options.length) return [];
  const distinct = [...new Set(texts)];
  const labels = labelsOf(distinct);
  return distinct.map((text, index) => ({ label: labels[index] ?? "", payload: text }));
}

function typesOf(payload: unknown): readonly string[] | null {
  const { schema } = membersOf(payload);
  if (schema !== true && (typeof schema !== "object" || schema === null)) return null;
  const types = [membersOf(schema)["type"]].flat().filter((one) => typeof one === "string");
  return types.join() === "string" ? null : types;
}

function membersOf(payload: unknown): Readonly<Record<string, unknown>> {
  return typeof payload === "object" && payload !== null ? { ...payload } : {};
}
