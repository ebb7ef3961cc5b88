const source = new EventSource(`/v1/agent-runs/${runId}/stream?since=0`);
source.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.type === "run_event") show(frame.event);
  if (frame.type === "run_finished") source.close();
  if (frame.type === "error" && !frame.retryable) {
    source.close();
    showError(frame.code);
  }
};
// The server refuses before there is a stream: 401 without a session, 404 without such a run.
source.onerror = () => {
  if (source.readyState === EventSource.CLOSED) showError("refused");
};
