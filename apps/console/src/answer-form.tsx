import type { RunView } from "@tm/run-events-client/react";
import { type FormEvent, type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { parseAnswer } from "./parse-answer.ts";
import { Problem } from "./problem.tsx";
import type { Question } from "./question.ts";

/** The question of a waiting run, and what answers it. It is removed when the run goes on. */
export function AnswerForm({
  question: { lastSequence, words, choices, types },
  input,
  onRemoved,
}: {
  readonly question: Question;
  readonly input: RunView["input"];
  /** Called when the form is removed while it has the focus. */
  readonly onRemoved: () => void;
}): ReactNode {
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const form = useRef<HTMLFormElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const { current } = form;
    return () => {
      if (current?.contains(document.activeElement) === true) queueMicrotask(onRemoved);
    };
  }, [onRemoved]);

  /** @param answer makes the payload that is sent */
  async function send(answer: () => unknown): Promise<void> {
    if (isSending) return;
    setSending(true);
    setFailure(null);
    try {
      // The form stays until the answer comes back as an event of the run.
      await input(answer(), { expectedSequence: lastSequence });
    } catch (error) {
      setFailure(error);
      setSending(false);
    }
  }

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const text = field.current?.value ?? "";
    void send(() => (types === null ? text : parseAnswer(text, types)));
  }

  const prompt = types === null ? "Your answer" : "Your answer, as JSON";
  return (
    <form ref={form} className="question" aria-labelledby="question-words" onSubmit={submit}>
      <p id="question-words">{words}</p>
      {choices.length === 0 && (
        <>
          <label className="unseen" htmlFor="answer">
            {prompt}
          </label>
          <textarea
            ref={field}
            id="answer"
            rows={2}
            required
            placeholder={prompt}
            aria-describedby="question-problem"
          />
        </>
      )}
      <div className="choices">
        {choices.map(({ label, payload }) => (
          // A button that is disabled loses the focus.
          <button
            key={label}
            type="button"
            aria-disabled={isSending}
            onClick={() => void send(() => payload)}
          >
            {label}
          </button>
        ))}
        {choices.length === 0 && (
          <button type="submit" className="primary" aria-disabled={isSending}>
            Answer
          </button>
        )}
      </div>
      <p id="question-problem" className="problem" role="alert">
        {failure !== null && <Problem error={failure} />}
      </p>
    </form>
  );
}
