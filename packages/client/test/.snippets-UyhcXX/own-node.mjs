const [, , baseUrl, runId, token] = process.argv;
let since = 0;
let runStatus = "queued";
while (!["completed", "failed", "cancelled"].includes(runStatus)) {
  const url = `${baseUrl}/v1/agent-runs/${runId}/events?since=${since}&wait=25`;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const page = await answer.json();
  if (!answer.ok) throw new Error(page.code);
  for (const { sequence, eventType } of page.events) {
    console.log(sequence, eventType);
    since = sequence;
  }
  ({ runStatus } = page);
}
console.log(runStatus);
