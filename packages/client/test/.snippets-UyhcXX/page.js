import { followRun } from "@tm/run-events-client";

for await (const event of followRun({ runId })) show(event);
