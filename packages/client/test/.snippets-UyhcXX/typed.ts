import { followRun } from "@tm/run-events-client";
import { z } from "zod";

type Events = { STEP: { words: number }; RUN_COMPLETED: unknown };
const schemas = { STEP: z.object({ words: z.number() }) };

const [, , baseUrl = "", runId = "", bearer = ""] = process.argv;
let words = 0;
for await (const event of followRun<Events>({ baseUrl, runId, credential: { bearer }, schemas })) {
  if (event.eventType === "STEP") words += event.payload.words;
}
console.log(words);
