import { useRunFold } from "@tm/run-events-client/react";

export function Text({ runId }) {
  const text = useRunFold(runId, "", (text, { eventType, payload }) =>
    eventType === "TOKEN" ? text + payload : text,
  );
  return <pre>{text}</pre>;
}
