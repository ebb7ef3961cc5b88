import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import { badShortTexts } from "../bad-short-texts.ts";
import type { Answer } from "../call.ts";
import { askFor, claim, LONG_LEASE_MS, renew, SHORTEST_LEASE_MS } from "../claims.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { appendCall, getRun, land, pathOf, post } from "../runs.ts";

const RUNS = "/v1/agent-runs";
const BAD_LENGTHS = ["0", "-1", "999", "3600001", "1000.5", '"1000"', "null", "true"];

/** A creation as its caller sees it. */
interface Started {
  readonly runId: string;
  readonly fence: number;
  readonly expiresAt: string;
}

/** Cases of W36 in `WIRE.md`: a creation that claims its run. */
export const starting: readonly HttpTrialCase[] = [
  {
    name: "W36 a creation with leaseMs answers 201, the snapshot with its lease, the fence and the end of the lease",
    async run(trial) {
      const answer = await start(trial, { topic: "tea", worker: "w-1" });
      const { fence, expiresAt, ...snapshot } = answer.json();
      const { runId } = startedOf(answer, 201);
      assertEqual(answer.headers.get("location"), `${trial.basePath}/${runId}`, "Location");
      assertEqual(snapshot["lease"], { worker: "w-1", expiresAt }, "the lease in the snapshot");
      assertEqual(await getRun(trial, runId), snapshot, "the run");
      const runsMs = Date.parse(String(expiresAt)) - Date.parse(String(snapshot["createdAt"]));
      assertEqual(runsMs, LONG_LEASE_MS, "how long the lease lasts");
      assertProblem(await askFor(trial, runId), 409, "claimed", { expiresAt });
      assertProblem(await trial.send(appendCall(trial, runId, ["NOTE"])), 409, "fenced");
      await land(trial, runId, ["NOTE"], { "run-fence": String(fence) });
      assertStatus(await renew(trial, runId, Number(fence)), 200);
    },
  },
  {
    name: "W36 a creation without leaseMs claims nothing, and shows no fence",
    async run(trial) {
      const answer = await trial.send(post(trial, RUNS, "{}"));
      assertStatus(answer, 201);
      const { runId, fence, expiresAt } = answer.json();
      assertEqual([fence, expiresAt], [undefined, undefined], "the fence and the end");
      await claim(trial, String(runId));
    },
  },
  {
    name: "W36 a creation that is sent again under its Idempotency-Key gets the same lease, and one under another does not",
    async run(trial) {
      const runId = `run-${crypto.randomUUID()}`;
      const key = { "idempotency-key": "start" };
      const first = startedOf(await start(trial, { runId }, key), 201);
      for (const leaseMs of [LONG_LEASE_MS, SHORTEST_LEASE_MS]) {
        const again = startedOf(await start(trial, { runId, leaseMs }, key), 200);
        assertEqual(again, first, "the lease of the creation that came again");
      }
      const { expiresAt } = first;
      for (const headers of [{}, { "idempotency-key": "other" }]) {
        assertProblem(await start(trial, { runId }, headers), 409, "claimed", { expiresAt });
      }
      const bad = await start(trial, { runId }, { "idempotency-key": "~".repeat(129) });
      assertProblem(bad, 400, "invalid_request");
    },
  },
  {
    name: "W36 an Idempotency-Key without a run id is 400 and creates nothing, as sent again it would create another run",
    async run(trial) {
      const topic = crypto.randomUUID();
      const key = { "idempotency-key": "start" };
      const bodies = [{ topic, leaseMs: LONG_LEASE_MS }, { topic }];
      for (const body of bodies) {
        const answer = await trial.send(post(trial, RUNS, JSON.stringify(body), key));
        assertProblem(answer, 400, "invalid_request");
      }
      const listed = await trial.send({
        path: `${RUNS}?topic=${topic}`,
        headers: trial.owner.bearer,
      });
      assertEqual(listed.json(), { runs: [], nextCursor: null }, "the runs of the topic");
    },
  },
  {
    name: "W36 a bad leaseMs, a bad worker, or a worker without leaseMs is 400 and creates nothing",
    async run(trial) {
      const runId = `run-${crypto.randomUUID()}`;
      const bodies = [
        ...BAD_LENGTHS.map((leaseMs) => `{"runId":"${runId}","leaseMs":${leaseMs}}`),
        ...badShortTexts(100).map(
          (worker) => `{"runId":"${runId}","leaseMs":${LONG_LEASE_MS},"worker":${worker}}`,
        ),
        `{"runId":"${runId}","worker":"w-1"}`,
      ];
      for (const body of bodies) {
        assertProblem(await trial.send(post(trial, RUNS, body)), 400, "invalid_request");
      }
      const answer = await trial.send({ path: pathOf(runId), headers: trial.owner.bearer });
      assertProblem(answer, 404, "not_found");
    },
  },
];

function start(
  trial: HttpTrial,
  part: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const body = JSON.stringify({ leaseMs: LONG_LEASE_MS, ...part });
  return trial.send(post(trial, RUNS, body, headers));
}

function startedOf(answer: Answer, status: number): Started {
  assertStatus(answer, status);
  const { runId, fence, expiresAt } = answer.json();
  assert(
    Number.isSafeInteger(fence) && Number(fence) > 0,
    `W36: a fence is a positive integer, got ${String(fence)}`,
  );
  return { runId: String(runId), fence: Number(fence), expiresAt: String(expiresAt) };
}
