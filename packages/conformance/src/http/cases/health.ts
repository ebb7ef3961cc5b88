import { movePath } from "@tm/run-events-core/wire";
import { assert, assertEqual } from "../../assert.ts";
import { assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import type { HttpTrial, HttpCases } from "../http-trial.ts";

/** The paths of runs, with `{}` for an id, and their methods. */
const RUN_PATHS: Readonly<Record<string, readonly string[]>> = {
  "/v1/agent-runs": ["get", "post"],
  "/v1/agent-runs/{}": ["delete", "get"],
  "/v1/agent-runs/{}/cancel": ["post"],
  "/v1/agent-runs/{}/claim": ["delete", "post", "put"],
  "/v1/agent-runs/{}/events": ["get", "post"],
  "/v1/agent-runs/{}/input": ["post"],
  "/v1/agent-runs/{}/stream": ["get"],
};

/** A line of Prometheus text that is a sample: a name, perhaps labels, a value. */
const SAMPLE = /^[a-zA-Z_:][\w:]*(?:\{.*\})? \S+$/m;

async function getOpen({ send }: HttpTrial, path: string, type: string): Promise<Answer> {
  const answer = await send({ path });
  assertStatus(answer, 200);
  const found = answer.headers.get("content-type") ?? "";
  const isMeant = found.toLowerCase().split(";")[0]?.trim() === type;
  assert(isMeant, `${answer.to} is answered with ${type}, got ${found}`);
  return answer;
}

/** Cases of W30 in `WIRE.md`: the description of the wire. */
export const description: HttpCases = {
  "W30 /openapi.json is OpenAPI 3.1 and has every path and method of runs, for anyone": async (
    trial,
  ) => {
    const answer = await getOpen(trial, "/openapi.json", "application/json");
    const { openapi, info, paths } = answer.json();
    assert(/^3\.1\.\d+$/.test(String(openapi)), `it is OpenAPI 3.1, got ${String(openapi)}`);
    assertEqual(typeof info, "object", "the type of info");
    const methods = new Map<string, readonly string[]>();
    for (const [path, item] of Object.entries(Object(paths) as Record<string, object>)) {
      methods.set(path.replace(/\{\w+\}/g, "{}"), Object.keys(item));
    }
    for (const [written, expected] of Object.entries(RUN_PATHS)) {
      const path = movePath(written, trial.basePath);
      const found = expected.filter((method) => methods.get(path)?.includes(method) === true);
      assertEqual(found, expected, `the methods of ${path} in ${answer.to}`);
    }
  },
};

/** Cases of W30 in `WIRE.md`: what a monitor asks a server. */
export const health: HttpCases = {
  "W30 /healthz, /readyz, /metrics and a page at / are for anyone, and name no run or owner":
    async (trial) => {
      const run = await trial.owner.record("NOTE");
      // A name of a letter or two may be part of any text.
      const owner = `"${String((await run.read())["ownerId"])}"`;
      for (const path of ["/healthz", "/readyz", "/metrics", "/"]) {
        const answer = await trial.send({ path });
        assertStatus(answer, 200);
        assert(!answer.text.includes(run.id), `${path} does not name the run ${run.id}`);
        assert(!answer.text.includes(owner), `${path} does not name the user ${owner}`);
      }
      const metrics = await getOpen(trial, "/metrics", "text/plain");
      assert(SAMPLE.test(metrics.text), "there is a metric");
      const { text } = await getOpen(trial, "/", "text/html");
      assert(/^\s*<(?:!doctype html|html)[\s>]/i.test(text), "the page begins as HTML does");
    },
};
