import { assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import { badShortTexts } from "../bad-short-texts.ts";
import {
  claim,
  leaseCall,
  leaseOf,
  type LeaseText,
  LONG_LEASE_MS,
  release,
  renew,
} from "../claims.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { getRun, land, pathOf, post, record } from "../runs.ts";

/** The most characters of a worker's name, each a code point. */
const LONGEST = 100;

const NAMES: readonly string[] = ["w-1", " W 1 ", '"w\\', "te\u0301a", "\u{1f375}".repeat(LONGEST)];

/** Cases of W44 in `WIRE.md`: which worker has a run. */
export const workers: readonly HttpTrialCase[] = [
  {
    name: "W44 a run shows its worker's name and the end of its lease, alone and in a list, and never the fence",
    async run(trial) {
      for (const worker of NAMES) {
        const runId = await record(trial);
        await assertLease(trial, runId, null);
        const first = leaseOf(await askAs(trial, runId, { worker }));
        await assertLease(trial, runId, { worker, expiresAt: first.expiresAt });
        const renewed = leaseOf(await renew(trial, runId, first.fence, 2 * LONG_LEASE_MS));
        await assertLease(trial, runId, { worker, expiresAt: renewed.expiresAt });
      }
    },
  },
  {
    name: "W44 a claim without a name shows none, also after a claim with one",
    async run(trial) {
      const runId = await record(trial);
      for (const part of [{}, { worker: null }]) {
        const named = leaseOf(await askAs(trial, runId, { worker: "w-1" }));
        assertStatus(await release(trial, runId, named.fence), 204);
        await assertLease(trial, runId, null);
        const { fence, expiresAt } = leaseOf(await askAs(trial, runId, part));
        await assertLease(trial, runId, { worker: null, expiresAt });
        assertStatus(await release(trial, runId, fence), 204);
      }
    },
  },
  {
    name: "W44 the end of a run ends its lease in the snapshot: by its worker, and by its owner's cancel",
    async run(trial) {
      const ends: readonly ((runId: string, lease: LeaseText) => Promise<unknown>)[] = [
        (runId, { fence }) => land(trial, runId, ["RUN_COMPLETED"], { "run-fence": `${fence}` }),
        async (runId) => {
          const answer = await trial.send(post(trial, pathOf(runId, "/cancel"), ""));
          assertStatus(answer, 200);
          assertEqual(answer.json()["lease"], null, "the lease in the answer of the cancel");
        },
      ];
      for (const end of ends) {
        const runId = await record(trial);
        const lease = leaseOf(await askAs(trial, runId, { worker: "w-1" }));
        await end(runId, lease);
        await assertLease(trial, runId, null);
      }
    },
  },
  {
    name: "W44 a bad name is 400 and claims nothing",
    async run(trial) {
      const runId = await record(trial);
      for (const worker of badShortTexts(LONGEST)) {
        const body = `{"leaseMs":${LONG_LEASE_MS},"worker":${worker}}`;
        const answer = await trial.send(leaseCall(trial, runId, "POST", body));
        assertProblem(answer, 400, "invalid_request");
      }
      await claim(trial, runId);
    },
  },
];

function askAs(
  trial: HttpTrial,
  runId: string,
  part: { readonly worker?: string | null },
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const body = JSON.stringify({ leaseMs: LONG_LEASE_MS, ...part });
  const call = leaseCall(trial, runId, "POST", body);
  return trial.send({ ...call, headers: { ...call.headers, ...headers } });
}

/** Fails unless the run's snapshot has exactly this lease, by itself and in the list. */
async function assertLease(trial: HttpTrial, runId: string, lease: unknown): Promise<void> {
  assertEqual((await getRun(trial, runId))["lease"], lease, `the lease of ${runId}`);
  const answer = await trial.send({
    path: "/v1/agent-runs?limit=200",
    headers: trial.owner.bearer,
  });
  assertStatus(answer, 200);
  const runs = answer.json()["runs"] as readonly Readonly<Record<string, unknown>>[];
  const listed = runs.find((run) => run["runId"] === runId);
  assertEqual(listed?.["lease"], lease, `the lease of ${runId} in the list`);
}
