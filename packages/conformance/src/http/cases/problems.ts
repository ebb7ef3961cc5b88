import { assertEqual } from "../../assert.ts";
import { assertStatus } from "../assert-answer.ts";
import type { Call } from "../call.ts";
import type { HttpCases } from "../http-trial.ts";
import { RUNS, RUNS_STREAM } from "../paths.ts";

/** Cases of W3 in `WIRE.md` that concern no single code. A code has a case in its own clause, where `assertProblem` judges the problem. */
export const problems: HttpCases = {
  "W3 a method that a path does not have is 405 with Allow": async ({ owner, send }) => {
    const run = await owner.record();
    for (const [path, allowed] of [
      [RUNS, ["GET", "HEAD", "POST"]],
      [run.at(), ["DELETE", "GET", "HEAD"]],
      [run.at("/events"), ["GET", "HEAD", "POST"]],
      [run.at("/stream"), ["GET", "HEAD"]],
      [run.at("/input"), ["POST"]],
      [run.at("/cancel"), ["POST"]],
      [run.at("/claim"), ["DELETE", "POST", "PUT"]],
    ] as const) {
      const known: readonly string[] = allowed;
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
        if (known.includes(method)) continue;
        const answer = await send(owner.call(method, path));
        assertStatus(answer, 405);
        const allow = (answer.headers.get("allow") ?? "").split(",").map((name) => name.trim());
        const methods = allow.filter((name) => name !== "OPTIONS").toSorted();
        assertEqual(methods, known, `Allow of ${answer.to}`);
      }
    }
  },
  "W3 HEAD is answered with the status and headers of GET": async ({ owner, send }) => {
    const run = await owner.record("NOTE");
    for (const path of [RUNS, run.at(), run.at("/events"), run.at("/events", "tail=2")]) {
      const get = await owner.get(path);
      const head = await send(owner.call("HEAD", path));
      assertEqual([head.status, head.text], [get.status, ""], `the answer to ${head.to}`);
      for (const name of ["content-type", "cache-control", "etag"]) {
        assertEqual(head.headers.get(name), get.headers.get(name), `${name} of ${head.to}`);
      }
    }
  },
  "W3 every answer has nosniff, so that no browser guesses its type": async ({ owner, send }) => {
    const run = await owner.record("RUN_COMPLETED");
    const { headers } = await run.poll();
    const same = { "if-none-match": headers.get("etag") ?? "" };
    const calls: readonly Call[] = [
      ...[RUNS, "/v1", run.at(), run.at("/events")].map((path) => owner.call("GET", path)),
      ...["HEAD", "PATCH", "DELETE"].map((method) => owner.call(method, run.at())),
      { path: RUNS },
      owner.call("GET", run.at("/events"), undefined, same),
      { path: run.at("/stream"), headers: owner.session },
      { path: RUNS_STREAM, headers: owner.session },
      run.appendCall(["NOTE"]),
    ];
    for (const call of calls) {
      const answer = await send(call);
      const option = answer.headers.get("x-content-type-options");
      assertEqual(option, "nosniff", `the option of the ${answer.status} to ${answer.to}`);
    }
  },
};
