import { AS, ask, completed, note, run, RUNS, type Scene, type User } from "../scene.ts";

const METHODS = ["GET", "HEAD", "OPTIONS", "PATCH", "PUT", "POST", "DELETE"];
const PATHS = [
  "/openapi.json",
  RUNS,
  run("ended", "/events"),
  run("ended", "/stream"),
  run("ended", "/claim"),
  run("ended", "/cancel"),
  run("ended"),
  "/none",
  "/v1/errors",
  "/v1/errors/fenced",
];

/** Paths that lead nowhere, or to no run. */
const STRANGE = [
  "/",
  "/v1",
  "/v1/",
  "/v1/agent-runs/",
  "/v1/agent-runs//events",
  "/v1/agent-runs/live/",
  "/v1/agent-runs/live/none",
  "/v1/agent-runs/live/events/",
  "/v1/agent-runs/live/events/more",
  "/v1/agent-runs/live/constructor",
  "/v1/agent-runs/live/toString",
  "/v1/agent-runs/%zz",
  "/v1/agent-runs/%zz/stream",
  "/v1/agent-runs/%6Cive",
  "/v1/agent-runs/%6Cive/events",
  "/v1/agent-runs/a%2Fb",
  "/v1/agent-runs/a%00b/events",
  `/v1/agent-runs/${"a".repeat(128)}`,
  `/v1/agent-runs/${"a".repeat(129)}`,
  "/v1/agent-runs/a.b",
  "/v1/agent-runs/%C3%A9",
  "/V1/agent-runs",
  "/v2/agent-runs",
  "/v1/Agent-Runs",
  "/api/v1/agent-runs/live",
  "/api/none",
  "/openapi",
  "/openapi.json/",
  "/openapi.json?x=1",
  "/v1/errors/",
  "/v1/errors/none",
  "/v1/errors/%zz",
  "/v1/errors/%66enced",
  "/v1/errors/fenced?x=1",
  "/v1/errors/fenced/more",
  "/v1/errors/toString",
];

export const PATH_SCENES: readonly Scene[] = [
  ...(Object.keys(AS) as User[]).map((user) => ({
    name: `every path and method, ${user}`,
    runs: { ended: [note({ at: 1 }), completed] },
    steps: PATHS.flatMap((path) =>
      METHODS.map((method) => ask(method, path, method === "POST" ? { body: "" } : {}, user)),
    ),
  })),
  {
    name: "paths that lead nowhere",
    runs: { live: [note()] },
    steps: STRANGE.flatMap((path) => [
      ask("GET", path),
      ask("POST", path),
      ask("DELETE", path, {}, "anonymous"),
    ]),
  },
];
