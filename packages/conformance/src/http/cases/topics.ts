import { assert, assertEqual } from "../../assert.ts";
import { badShortTexts } from "../bad-short-texts.ts";
import { assertMembers, assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import type { HttpTrial, HttpTrialCase } from "../http-trial.ts";
import { getRun, land, pathOf, post } from "../runs.ts";

/** The most characters of a topic, each a code point. */
const LONGEST = 200;

/** Topics that a query has to encode, or that a server may take for something else. Each is the beginning of a topic of its own. */
const HARD: readonly string[] = [
  "a&status=live",
  "a%26b",
  "100%",
  "a+b",
  "a b",
  " a ",
  "a=b#c?d/e;f",
  "Tea",
  "tea",
  "t\u00e9a",
  "te\u0301a",
  "\u{1f375}",
  "null",
  '"tea"\\',
  "{}",
];

/** Queries of a list whose `topic` is invalid. */
const BAD_QUERIES: readonly string[] = [
  "topic=",
  "topic",
  `topic=${"x".repeat(LONGEST + 1)}`,
  `topic=${encodeURIComponent("\u{1f375}".repeat(LONGEST + 1))}`,
  "topic=a%00b",
  "topic=a%0A",
  "topic=%7F",
  "topic=%C2%85",
  "topic=a&topic=b",
  "topic=a&topic=a",
];

/** Cases of W34 in `WIRE.md`: what a run is about. */
export const topics: readonly HttpTrialCase[] = [
  {
    name: "W34 a run has the topic that it was created with in every answer, to its end",
    async run(trial) {
      const topic = newTopic("tea");
      const runId = await create(trial, topic);
      const again = await trial.send(createCall(trial, { runId, topic: newTopic("tea") }));
      assertStatus(again, 200);
      assertMembers(again, { topic });
      await land(trial, runId, ["NOTE"]);
      assertEqual((await getRun(trial, runId))["topic"], topic, "the topic of the running run");
      const cancel = post(trial, pathOf(runId, "/cancel"), "");
      assertMembers(await trial.send(cancel), { runStatus: "cancelled", topic });
      assertEqual((await getRun(trial, runId))["topic"], topic, "the topic of the ended run");
      const [listed] = runsIn(await list(trial, { topic }));
      assertEqual([listed?.runId, listed?.topic], [runId, topic], "the run in the list");
    },
  },
  {
    name: "W34 a list of a topic has the caller's runs of exactly that topic, newest first, with any characters",
    async run(trial) {
      const all = [...HARD.map(newTopic), longest("x"), longest("y"), longest("\u{1f375}")];
      const made = new Map(all.map((topic) => [topic, [] as string[]]));
      for (const topic of [...all, ...all]) made.get(topic)?.unshift(await create(trial, topic));
      for (const [topic, ids] of made) {
        assertEqual(idsIn(await list(trial, { topic })), ids, `the runs of ${topic}`);
        // The other way to write a space in a query.
        const query = encodeURIComponent(topic).replaceAll("%20", "+");
        assertEqual(idsIn(await listBy(trial, `topic=${query}`)), ids, `the runs of ${query}`);
      }
      assertEqual(idsIn(await list(trial, { topic: newTopic("a") })), [], "the runs of no topic");
    },
  },
  {
    name: "W34 another user's runs of the same topic are in no list of the caller's",
    async run(trial) {
      const topic = newTopic("shared");
      const runId = await create(trial, topic);
      const theirs = await trial.send({
        ...createCall(trial, { topic }),
        headers: { ...trial.stranger.bearer, "content-type": "application/json" },
      });
      assertStatus(theirs, 201);
      assertEqual(idsIn(await list(trial, { topic })), [runId], "the caller's list");
      const { bearer } = trial.stranger;
      const path = `/v1/agent-runs?topic=${encodeURIComponent(topic)}&status=live`;
      const answer = await trial.send({ path, headers: bearer });
      assertEqual(idsIn(answer), [String(theirs.json()["runId"])], "the other user's list");
    },
  },
  {
    name: "W34 the pages of a topic's list show each run once, those of its live runs too, and no other topic's",
    async run(trial) {
      const topic = newTopic("paged");
      const made: string[] = [];
      for (let at = 0; at < 6; at++) {
        const runId = await create(trial, topic);
        made.unshift(runId);
        if (at % 3 === 1) await land(trial, runId, ["RUN_COMPLETED"]);
        await create(trial, newTopic("between"));
      }
      const live = made.filter((_, at) => at % 3 !== 1);
      for (const limit of [1, 2, 6]) {
        assertEqual(await pages(trial, { topic, limit }), made, `pages of ${limit}`);
        const query = { topic, status: "live", limit };
        assertEqual(await pages(trial, query), live, `pages of ${limit} live runs`);
      }
    },
  },
  {
    name: "W34 a bad topic is 400 and creates nothing",
    async run(trial) {
      for (const value of badShortTexts(LONGEST)) {
        const runId = crypto.randomUUID();
        const body = `{"runId":"${runId}","topic":${value}}`;
        const answer = await trial.send(post(trial, "/v1/agent-runs", body));
        assertProblem(answer, 400, "invalid_request");
        const path = pathOf(runId);
        const read = await trial.send({ path, headers: trial.owner.bearer });
        assertProblem(read, 404, "not_found");
      }
      for (const query of BAD_QUERIES) {
        assertProblem(await listBy(trial, query), 400, "invalid_request");
      }
    },
  },
];

/** A topic that begins so, and that no run has. */
function newTopic(start: string): string {
  return `${start} ${crypto.randomUUID()}`;
}

/** A new topic of the greatest length, that ends with this character. */
function longest(character: string): string {
  const start = newTopic("");
  return start + character.repeat(LONGEST - start.length);
}

function createCall(trial: HttpTrial, body: object): ReturnType<typeof post> {
  return post(trial, "/v1/agent-runs", JSON.stringify(body));
}

async function create(trial: HttpTrial, topic: string | null): Promise<string> {
  const answer = await trial.send(createCall(trial, { topic }));
  assertStatus(answer, 201);
  assertMembers(answer, { topic });
  return String(answer.json()["runId"]);
}

function listBy(trial: HttpTrial, query: string): Promise<Answer> {
  return trial.send({ path: `/v1/agent-runs?${query}`, headers: trial.owner.bearer });
}

function list(trial: HttpTrial, query: Readonly<Record<string, string | number>>): Promise<Answer> {
  const parts = Object.entries(query).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  return listBy(trial, parts.join("&"));
}

interface ListedRun {
  readonly runId: string;
  readonly topic: string | null;
  readonly finishedAt: string | null;
}

function runsIn(answer: Answer): readonly ListedRun[] {
  assertStatus(answer, 200);
  return answer.json()["runs"] as readonly ListedRun[];
}

function idsIn(answer: Answer): readonly string[] {
  return runsIn(answer).map(({ runId }) => runId);
}

/** The runs of all pages, one after the other. */
async function pages(
  trial: HttpTrial,
  query: { readonly topic: string; readonly status?: string; readonly limit: number },
): Promise<readonly string[]> {
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const answer: Answer = await list(trial, cursor === null ? query : { ...query, cursor });
    const ids = idsIn(answer);
    assert(ids.length <= query.limit, `a page has at most ${query.limit} runs, got ${ids.length}`);
    assert(ids.length > 0, "a page before the last run has a run");
    seen.push(...ids);
    cursor = answer.json()["nextCursor"] as string | null;
  } while (cursor !== null);
  return seen;
}
