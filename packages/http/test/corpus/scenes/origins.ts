import { ask, askJson, completed, note, run, RUNS, type Scene, type User } from "../scene.ts";

const APP = "https://app.example";
const ORIGINS: readonly Readonly<Record<string, string>>[] = [
  {},
  { origin: APP },
  { origin: "https://evil.example" },
  { origin: "null" },
  { origin: "http://127.0.0.1" },
  { origin: "http://127.0.0.1:81" },
  { "sec-fetch-site": "same-origin" },
  { "sec-fetch-site": "same-origin", origin: "https://evil.example" },
  { "sec-fetch-site": "same-site" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "cross-site", origin: APP },
  { "sec-fetch-site": "none" },
  { "sec-fetch-site": "none", origin: "https://evil.example" },
];

const preflight = (path: string, headers: Record<string, string>): ReturnType<typeof ask> =>
  ask(
    "OPTIONS",
    path,
    { headers, name: `preflight ${path} ${JSON.stringify(headers)}` },
    "anonymous",
  );

const steps = ORIGINS.flatMap((headers) => {
  const from = JSON.stringify(headers);
  const users: readonly User[] = ["session", "ada"];
  return users.flatMap((user) => [
    askJson("POST", RUNS, { runId: "new" }, headers, user),
    ask("GET", run("ended"), { headers, name: `${user}: GET run from ${from}` }, user),
    ask(
      "GET",
      run("ended", "/stream?since=2"),
      { headers, name: `${user}: stream from ${from}` },
      user,
    ),
  ]);
});

export const ORIGIN_SCENES: readonly Scene[] = [
  { name: "origins, none listed", runs: { ended: [note(), completed] }, steps },
  {
    name: "origins, one listed",
    options: { allowedOrigins: [APP], retentionMs: 1_000 },
    runs: { ended: [note(), completed] },
    steps: [
      ...steps,
      ...[
        RUNS,
        run("ended"),
        run("ended", "/events"),
        run("ended", "/stream"),
        run("ended", "/claim"),
        run("ended", "/cancel"),
        "/openapi.json",
        "/v1/errors/fenced",
        "/none",
        run("%zz"),
      ].flatMap((path) => [
        preflight(path, { origin: APP, "access-control-request-method": "POST" }),
        preflight(path, {
          origin: "https://evil.example",
          "access-control-request-method": "POST",
        }),
        preflight(path, { origin: APP }),
      ]),
      ask("PATCH", RUNS, { headers: { origin: APP } }),
      ask("GET", "/none", { headers: { origin: APP } }),
      ask("GET", "/v1/errors/fenced", { headers: { origin: APP } }, "anonymous"),
      ask("GET", RUNS, { headers: { origin: APP } }, "anonymous"),
    ],
  },
];
