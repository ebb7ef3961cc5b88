import { followRun } from "@tm/run-events-client";

const [, , baseUrl, runId, token] = process.argv;
const run = followRun({ baseUrl, runId, credential: { bearer: token } });
for await (const { sequence, eventType } of run) console.log(sequence, eventType);
console.log(run.runStatus);
