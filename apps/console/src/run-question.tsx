import type { RunView } from "@tm/run-events-client/react";
import type { RunEvent, RunStatus } from "@tm/run-events-core";
import { type ReactNode, type RefObject, useCallback, useMemo } from "react";
import { AnswerForm } from "./answer-form.tsx";
import { openQuestion } from "./question.ts";

/** The question of a run, while it waits for the answer. */
export function RunQuestion({
  events,
  status,
  input,
  heading,
}: {
  readonly events: readonly RunEvent[];
  /** The run's events so far. The question is shown only if they reach the end of the log. */
  readonly status: RunStatus | null;
  readonly input: RunView["input"];
  /** Gets the focus when the form goes with it. */
  readonly heading: RefObject<HTMLHeadingElement | null>;
}): ReactNode {
  const question = useMemo(() => openQuestion(events, status), [events, status]);
  const toHeading = useCallback(() => heading.current?.focus(), [heading]);
  if (question === null) return null;
  return (
    <AnswerForm key={question.sequence} question={question} input={input} onRemoved={toHeading} />
  );
}
