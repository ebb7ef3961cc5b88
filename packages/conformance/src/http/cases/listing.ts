import { assert, assertEqual } from "../../assert.ts";
import { assertMembers, assertProblem, assertStatus } from "../assert-answer.ts";
import type { HttpCases } from "../http-trial.ts";
import type { WireRun } from "../wire-run.ts";
import { idsIn, newTopic, runsIn, type WireUser } from "../wire-user.ts";

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

/** A new topic of the greatest length, that ends with this character. */
function longest(character: string): string {
  const start = newTopic("");
  return start + character.repeat(LONGEST - start.length);
}

/** The runs of all pages of a list, one after the other. */
async function pagesOf(
  user: WireUser,
  query: Readonly<Record<string, string | number>>,
  limit: number,
): Promise<readonly string[]> {
  const seen: string[] = [];
  let part: { readonly cursor?: string } = {};
  for (;;) {
    const answer = await user.list({ ...query, ...part, limit });
    const ids = idsIn(answer);
    assert(ids.length <= limit, `a page has at most ${limit} runs, got ${ids.length}`);
    seen.push(...ids);
    const cursor = answer.json()["nextCursor"] as string | null;
    if (cursor === null) return seen;
    assert(ids.length > 0, "a page before the last run has a run");
    part = { cursor };
  }
}

/** Cases of W14, W34 and W35 in `WIRE.md`: lists, topics, and deleting. */
export const listing: HttpCases = {
  "W14 the list is the caller's runs, newest first": async ({ owner, stranger }) => {
    const made: string[] = [];
    for (let at = 0; at < 5; at++) made.unshift((await owner.record()).id);
    const ids = idsIn(await owner.list({ limit: 5 }));
    assertEqual(ids, made, "the new runs");
    const theirs = idsIn(await stranger.list({ limit: 50 }));
    const own = theirs.filter((id) => made.includes(id));
    assertEqual(own, [], "the new runs in the stranger's list");
  },
  "W14 a page of the list ends at 4 MiB of metadata, and the next one goes on there": async ({
    owner,
  }) => {
    const topic = newTopic();
    const made: string[] = [];
    const metadata = "x".repeat(250_000);
    for (let at = 0; at < 18; at++) made.unshift((await owner.createNew({ topic, metadata })).id);
    const { text } = await owner.list({ topic, limit: 18 });
    const { length } = new TextEncoder().encode(text);
    assert(length <= 4_300_000, `a page of the list ends at 4 MiB, got ${length} bytes`);
    assertEqual(await pagesOf(owner, { topic }, 18), made, "the runs of both pages");
  },
  "W14 deleting a live run is refused, and deleting a finished one removes it": async ({
    owner,
  }) => {
    const run = await owner.record("NOTE");
    assertProblem(await run.remove(), 409, "run_active");
    await run.assertLength(1);
    await run.land(["RUN_FAILED"]);
    const removed = await run.remove();
    assertEqual([removed.status, removed.text], [204, ""], "the answer to the deletion");
    for (const answer of [await run.remove(), await owner.get(run.at())]) {
      assertProblem(answer, 404, "not_found");
    }
    assert(!idsIn(await owner.list({ limit: 5 })).includes(run.id), "the list has lost it too");
  },
  "W34 a run has the topic that it was created with in every answer, to its end": async ({
    owner,
  }) => {
    const topic = newTopic("tea");
    const run = await owner.createNew({ topic });
    const again = await owner.create({ runId: run.id, topic: newTopic("tea") });
    assertStatus(again, 200);
    assertMembers(again, { topic });
    await run.land(["NOTE"]);
    assertEqual((await run.read())["topic"], topic, "the topic of the running run");
    assertMembers(await run.cancel(), { runStatus: "cancelled", topic });
    assertEqual((await run.read())["topic"], topic, "the topic of the ended run");
    const [listed] = runsIn(await owner.list({ topic }));
    assertEqual(listed, await run.read(), "the run in the list");
  },
  "W34 a list of a topic has the caller's runs of exactly that topic, newest first, with any characters":
    async ({ owner, stranger }) => {
      const all = [...HARD.map(newTopic), longest("x"), longest("y"), longest("\u{1f375}")];
      const made = new Map(all.map((topic) => [topic, [] as string[]]));
      for (const topic of [...all, ...all]) {
        made.get(topic)?.unshift((await owner.createNew({ topic })).id);
        await stranger.createNew({ topic });
      }
      for (const [topic, ids] of made) {
        assertEqual(idsIn(await owner.list({ topic })), ids, `the runs of ${topic}`);
        // The other way to write a space in a query.
        const query = encodeURIComponent(topic);
        assertEqual(idsIn(await owner.list(`topic=${query}`)), ids, `the runs of ${query}`);
      }
      assertEqual(idsIn(await owner.list({ topic: newTopic("a") })), [], "the runs of no topic");
    },
  "W34 the pages of a topic's list show each run once, those of its live runs too, and no other topic's":
    async ({ owner }) => {
      const topic = newTopic("paged");
      const made: string[] = [];
      for (let at = 0; at < 6; at++) {
        const run = await owner.createNew({ topic });
        made.unshift(run.id);
        if (at % 3 === 1) await run.land(["RUN_COMPLETED"]);
        await owner.createNew({ topic: newTopic("between") });
      }
      const live = made.filter((_, at) => at % 3 !== 1);
      for (const limit of [1, 2, 6]) {
        assertEqual(await pagesOf(owner, { topic }, limit), made, `pages of ${limit}`);
        const found = await pagesOf(owner, { topic, status: "live" }, limit);
        assertEqual(found, live, `pages of ${limit} live runs`);
      }
    },
  "W35 an exclusive run is topic_busy while the caller has a live run of the topic, and free the moment that ends":
    async ({ owner }) => {
      const topic = newTopic();
      const ends: readonly ((run: WireRun) => Promise<unknown>)[] = [
        (run) => run.land(["RUN_COMPLETED"]),
        (run) => run.land(["NOTE", "RUN_FAILED"]),
        async (run) => assertStatus(await run.cancel(), 200),
      ];
      for (const exclusive of [true, false]) {
        for (const end of ends) {
          const run = await owner.createNew({ topic, exclusive });
          const busy = await owner.create({ topic, exclusive: true });
          assertProblem(busy, 409, "topic_busy", { runId: run.id });
          await end(run);
        }
      }
      await owner.createNew({ topic, exclusive: true });
    },
};
