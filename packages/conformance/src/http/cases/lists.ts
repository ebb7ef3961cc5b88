import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { getRun, land, pathOf } from "../runs.ts";
import { createIn, newTopic } from "../topic-runs.ts";

const PATH = "/v1/agent-runs";
/** The number of newest runs in a list. */
const NEWEST = 50;

/** Asks for a list by the owner's token. */
function ask(trial: HttpTrial, query: Readonly<Record<string, string>>): Promise<Answer> {
  const parameters = new URLSearchParams({ feed: "live", ...query }).toString();
  return trial.send({ path: `${PATH}?${parameters}`, headers: trial.owner.bearer });
}

async function listOf(trial: HttpTrial, query: Readonly<Record<string, string>>) {
  const answer = await ask(trial, query);
  assertStatus(answer, 200);
  return answer.json();
}

function idsIn(list: Readonly<Record<string, unknown>>): readonly unknown[] {
  return (list["runs"] as readonly { readonly runId: string }[]).map(({ runId }) => runId);
}

/** Cases of W48 in `WIRE.md`: polls of a list. Each topic is of one case alone. */
export const lists: readonly HttpTrialCase[] = [
  {
    name: "W48 a list has the live runs and the newest 50 of its topic, newest first, each as it is",
    async run(trial) {
      const topic = newTopic();
      const ids: string[] = [];
      for (let at = 0; at < NEWEST + 3; at++) ids.push(await createIn(trial, topic));
      await createIn(trial, newTopic());
      const [live = "", ...others] = ids;
      for (const runId of others) await land(trial, runId, ["RUN_COMPLETED"]);
      const list = await listOf(trial, { topic });
      assertEqual(Object.keys(list).toSorted(), ["more", "runs", "version"], "the fields");
      const expected = [live, ...others.slice(-NEWEST)].toReversed();
      assertEqual(idsIn(list), expected, "the runs of the list");
      assertEqual(list["more"], false, "whether there are older live runs");
      const [newest] = list["runs"] as readonly unknown[];
      assertEqual(newest, await getRun(trial, expected[0] ?? ""), "the newest run");
    },
  },
  {
    name: "W48 a list that still has a version is the same, until a run is created, gets an event, ends or is removed",
    async run(trial) {
      const topic = newTopic();
      const runId = await createIn(trial, topic);
      const other = await createIn(trial, topic);
      const steps: readonly (() => Promise<unknown>)[] = [
        () => land(trial, runId, ["NOTE"]),
        () => land(trial, runId, ["RUN_COMPLETED"]),
        () => createIn(trial, topic),
        () => trial.send({ method: "DELETE", path: pathOf(runId), headers: trial.owner.bearer }),
      ];
      for (const step of steps) {
        const { version } = await listOf(trial, { topic });
        const have = String(version);
        assertEqual(
          await listOf(trial, { topic, have }),
          { same: true, version },
          "an unchanged list",
        );
        // An answer that is held for the change.
        const held = listOf(trial, { topic, have, wait: "30" });
        await step();
        assert(idsIn(await held).includes(other), "the whole list comes after a change");
        assert((await listOf(trial, { topic, have }))["same"] !== true, "the version is another");
      }
    },
  },
  {
    name: "W48 a list is of a time after its request",
    async run(trial) {
      const topic = newTopic();
      for (let round = 0; round < 3; round++) {
        const runId = await createIn(trial, topic);
        const ids = idsIn(await listOf(trial, { topic, have: "none" }));
        assertEqual(ids[0], runId, "the newest run of a list that was asked for after it");
      }
    },
  },
  {
    name: "W48 a list has no run of another user, whose list it is not",
    async run(trial) {
      const topic = newTopic();
      await createIn(trial, topic);
      const path = `${PATH}?feed=live&topic=${encodeURIComponent(topic)}`;
      const answer = await trial.send({ path, headers: trial.stranger.bearer });
      assertEqual(idsIn(answer.json()), [], "the stranger's list");
    },
  },
  {
    name: "W48 parameters of a page with those of a list, and bad values, are 400 and named",
    async run(trial) {
      for (const [name, query] of [
        ["feed", "feed=none"],
        ["feed", "feed=live&feed=live"],
        ["status", "feed=live&status=live"],
        ["cursor", "feed=live&cursor=1"],
        ["limit", "feed=live&limit=1"],
        ["topic", "feed=live&topic="],
        ["last", "feed=live&last=1"],
        ["wait", "feed=live&wait=31"],
        ["have", "have=x"],
        ["last", "last=true"],
        ["wait", "wait=1"],
      ] as const) {
        const answer = await trial.send({ path: `${PATH}?${query}`, headers: trial.owner.bearer });
        assertProblem(answer, 400, "invalid_request");
        const { detail } = answer.json();
        const isNamed = new RegExp(`\\b${name}\\b`).test(String(detail));
        assert(isNamed, `the problem of ${query} names \`${name}\`, got ${String(detail)}`);
      }
    },
  },
];
