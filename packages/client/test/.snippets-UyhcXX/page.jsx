import { Run } from "./run.jsx";

export async function Page({ runs, runId, user }) {
  const initial = await runs.read(runId, { ownerId: user.id, tail: 50 });
  return <Run runId={runId} initial={initial} />;
}
