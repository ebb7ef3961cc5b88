import { createClient } from "@tm/run-events-client/runs";

const [, , baseUrl, token] = process.argv;
const runs = createClient({ baseUrl, credential: { bearer: token } });

const { runId } = await runs.create({ topic: "tea" });
await runs.append(runId, [{ eventType: "RUN_STARTED" }, { eventType: "STEP", payload: 1 }]);
const { events, runStatus } = await runs.events(runId, { since: 1 });
console.log(runStatus, events.length);

const { fence } = await runs.claim(runId, { leaseMs: 60_000 });
await runs.append(runId, [{ eventType: "STEP", payload: 2 }], { fence });
await runs.renew(runId, fence, { leaseMs: 60_000 });
await runs.release(runId, fence);

await runs.cancel(runId);
const { runs: newest } = await runs.list({ status: "cancelled", limit: 1 });
console.log(newest[0].runId === runId);
for await (const { eventType } of runs.follow(runId)) console.log(eventType);
await runs.delete(runId);
