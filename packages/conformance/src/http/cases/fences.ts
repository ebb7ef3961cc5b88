import { assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer, HeaderList } from "../call.ts";
import { claim, claimTwice, release } from "../claims.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { appendCall, getRun, land, linesCall, receiptOf, record, tailLive } from "../runs.ts";

const LINE = '{"eventType":"NOTE"}\n';

function fenced(fence: number | string): HeaderList {
  return { "run-fence": String(fence) };
}

/** Appends one event with these headers, as JSON and as a line. */
async function appendBoth(
  trial: HttpTrial,
  runId: string,
  headers: HeaderList,
): Promise<readonly [Answer, Answer]> {
  return [
    await trial.send(appendCall(trial, runId, ["NOTE"], headers)),
    await trial.send(linesCall(trial, runId, LINE, headers)),
  ];
}

async function assertLength(trial: HttpTrial, runId: string, expected: number): Promise<void> {
  assertEqual((await getRun(trial, runId))["lastSequence"], expected, "lastSequence");
}

/** Cases of W32 in `WIRE.md`: who may write to a run. */
export const fences: readonly HttpTrialCase[] = [
  {
    name: "W32 a claimed run takes appends with its fence, and no others",
    async run(trial) {
      const runId = await record(trial);
      const { first, second } = await claimTwice(trial, runId);
      for (const headers of [{}, fenced(first.fence), fenced(second.fence + 1)]) {
        const [events, lines] = await appendBoth(trial, runId, headers);
        assertProblem(events, 409, "fenced");
        assertProblem(lines, 409, "fenced", { line: 1 });
      }
      await assertLength(trial, runId, 0);
      for (const answer of await appendBoth(trial, runId, fenced(second.fence))) {
        assertStatus(answer, 201);
      }
      await assertLength(trial, runId, 2);
    },
  },
  {
    name: "W32 an invalid Run-Fence is 400 and writes nothing",
    async run(trial) {
      const runId = await record(trial);
      const { fence } = await claim(trial, runId);
      for (const bad of [
        "",
        "one",
        `${fence}.0`,
        `${fence}.5`,
        `${fence}, ${fence}`,
        `"${fence}"`,
      ]) {
        for (const answer of await appendBoth(trial, runId, fenced(bad))) {
          assertEqual(answer.status, 400, `the status of ${answer.to} with the Run-Fence ${bad}`);
          assertProblem(answer, 400, "invalid_request");
        }
      }
      await assertLength(trial, runId, 0);
    },
  },
  {
    name: "W32 an unclaimed run takes appends without a fence only",
    async run(trial) {
      const free = await record(trial);
      const released = await record(trial);
      const { fence } = await claim(trial, released);
      assertStatus(await release(trial, released, fence), 204);
      for (const runId of [free, released]) {
        for (const answer of await appendBoth(trial, runId, fenced(fence))) {
          assertProblem(answer, 409, "fenced");
        }
        for (const answer of await appendBoth(trial, runId, {})) assertStatus(answer, 201);
        await assertLength(trial, runId, 2);
      }
    },
  },
  {
    name: "W32 an append is judged by its key, then the end of the run, its fence and expectedSequence",
    async run(trial) {
      const runId = await record(trial);
      const { first, second } = await claimTwice(trial, runId);
      const early = ',"expectedSequence":7';
      const stale = appendCall(trial, runId, ["NOTE"], fenced(first.fence), early);
      assertProblem(await trial.send(stale), 409, "fenced");
      const own = appendCall(trial, runId, ["NOTE"], fenced(second.fence), early);
      assertProblem(await trial.send(own), 412, "sequence_conflict", { lastSequence: 0 });
      const keyed = { ...fenced(second.fence), "idempotency-key": "k" };
      const receipt = await land(trial, runId, ["NOTE"], keyed);
      assertStatus(await release(trial, runId, second.fence), 204);
      const { fence } = await claim(trial, runId);
      const again = await trial.send(appendCall(trial, runId, ["NOTE"], keyed));
      assertStatus(again, 200);
      assertEqual(receiptOf(again), { ...receipt, replayed: true }, "the receipt");
      await land(trial, runId, ["RUN_COMPLETED"], fenced(fence));
      const ended = { runStatus: "completed", lastSequence: 2 };
      for (const headers of [{}, fenced(second.fence), fenced(fence)]) {
        for (const answer of await appendBoth(trial, runId, headers)) {
          assertProblem(answer, 409, "run_finished", ended);
        }
      }
    },
  },
  {
    name: "W32 a fence that is lost during lines ends them at the first one after the loss",
    async run(trial) {
      const runId = await record(trial);
      const { fence } = await claim(trial, runId);
      const stream = await tailLive(trial, runId);
      const encoder = new TextEncoder();
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          sent += 1;
          if (sent > 1) {
            await stream.until("run_event");
            assertStatus(await release(trial, runId, fence), 204);
            await claim(trial, runId);
          }
          controller.enqueue(encoder.encode(LINE));
          if (sent > 1) controller.close();
        },
      });
      const answer = await trial.send(linesCall(trial, runId, body, fenced(fence)));
      assertProblem(answer, 409, "fenced", { line: 2, lastSequence: 1 });
      await assertLength(trial, runId, 1);
    },
  },
];
