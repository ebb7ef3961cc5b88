import { followRun } from "@tm/run-events-client";

// Leaves a loop over a live run, and has nothing else to do.
const [, , baseUrl = "", how] = process.argv;
const leaving = new AbortController();
const { signal } = leaving;
try {
  for await (const _ of followRun({ baseUrl, runId: "a", credential: { cookie: "a=b" }, signal })) {
    if (how === "break") break;
    if (how === "throw") throw new Error("enough");
    leaving.abort();
  }
} catch {
  // The abort was asked for.
}
console.log("left");
