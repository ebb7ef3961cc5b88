import { assert, assertEqual } from "../../assert.ts";
import { ask, askAll, askBy, changedIn } from "../ask-changed.ts";
import { assertNoStore, assertProblem, assertStatus } from "../assert-answer.ts";
import { notes } from "../draft.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { getRun, land, pathOf, post } from "../runs.ts";
import { byId, createIn as create, newTopic } from "../topic-runs.ts";

/** More than a page of the default limit. */
const MANY = 60;

/** How many runs change at the same time, and how often. A server may see only one of them, but not every time. */
const FEW = 10;
const ROUNDS = 4;

/** A wait that is over before a server that only looks again every five seconds would find a change. */
const SHORT_WAIT_S = 4;

/** Cases of W48 in `WIRE.md`: the caller's runs that changed since a cursor. Each topic is of one case alone. */
export const changedRuns: readonly HttpTrialCase[] = [
  {
    name: "W48 an empty cursor begins with the caller's live runs, as they are",
    async run(trial) {
      const topic = newTopic();
      const [queued, running, ended] = [
        await create(trial, topic),
        await create(trial, topic),
        await create(trial, topic),
      ];
      await land(trial, running, ["NOTE"]);
      await land(trial, ended, ["RUN_COMPLETED"]);
      const answer = await ask(trial, { topic, changedSince: "" });
      assertNoStore(answer);
      const { runs, gone, reset, hasMore } = changedIn(answer);
      const expected = [await getRun(trial, queued), await getRun(trial, running)];
      assertEqual(byId(runs), byId(expected), "the live runs");
      assertEqual([gone, reset, hasMore], [[], true, false], "what else is answered");
    },
  },
  {
    name: "W48 each change comes after the cursor, to the end of the run and its removal, and then nothing",
    async run(trial) {
      const topic = newTopic();
      const other = await create(trial, topic);
      let { cursor } = await askAll(trial, topic, "");
      const runId = await create(trial, topic);
      const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
        ["queued", async () => {}],
        ["running", () => land(trial, runId, ["NOTE"])],
        ["running", () => land(trial, runId, ["NOTE", "NOTE"])],
        ["failed", () => land(trial, runId, ["RUN_FAILED"])],
      ];
      for (const [status, step] of steps) {
        await step();
        const changed = await askAll(trial, topic, cursor);
        assertEqual([...changed.runs.keys()], [runId], `the runs that come when it is ${status}`);
        assertEqual(changed.runs.get(runId), await getRun(trial, runId), "the run");
        assertEqual(changed.gone, [], "the runs that are gone");
        ({ cursor } = changed);
      }
      const remove = { method: "DELETE", path: pathOf(runId), headers: trial.owner.bearer };
      assertStatus(await trial.send(remove), 204);
      const removed = await askAll(trial, topic, cursor);
      assertEqual(
        [[...removed.runs.keys()], removed.gone],
        [[], [runId]],
        "what comes of a removal",
      );
      await land(trial, other, ["NOTE"]);
      const last = await askAll(trial, topic, removed.cursor);
      assertEqual([...last.runs.keys()], [other], "the other run that changed");
    },
  },
  {
    name: "W48 an answer that waits is held until a run of the topic is created, gets an event or ends",
    async run(trial) {
      const topic = newTopic();
      const first = await create(trial, topic);
      const append = async (eventType: string): Promise<string> => {
        await land(trial, first, [eventType]);
        return first;
      };
      const changes = [
        () => create(trial, topic),
        () => append("NOTE"),
        () => append("RUN_COMPLETED"),
      ];
      let { cursor } = await askAll(trial, topic, "");
      for (const change of changes) {
        const held = ask(trial, { topic, changedSince: cursor, wait: 20 });
        // Looked at below, unless what follows fails first.
        held.catch(() => {});
        // A server that does not hold the answer has given it by now.
        for (let asked = 0; asked < 5; asked++) await getRun(trial, first);
        const runId = await change();
        const { runs, reset } = changedIn(await held);
        assertEqual([runs.map((run) => run.runId), reset], [[runId], false], "what was waited for");
        ({ cursor } = await askAll(trial, topic, cursor));
      }
    },
  },
  {
    name: "W48 an answer that waits comes at an append, an input and a cancellation of a run that the reader has",
    async run(trial) {
      const topic = newTopic();
      const runIds = [await create(trial, topic), await create(trial, topic)];
      const [first = "", other = ""] = runIds;
      const bodies: readonly (readonly [string, string, string?])[] = [
        [first, "/events", '{"events":[{"eventType":"NOTE"}]}'],
        [other, "/input", '{"payload":1}'],
        [other, "/events", '{"events":[{"eventType":"NOTE"}]}'],
        [first, "/cancel"],
      ];
      let { cursor } = await askAll(trial, topic, "");
      for (const [runId, what, body = ""] of bodies) {
        const held = ask(trial, { topic, changedSince: cursor, wait: SHORT_WAIT_S });
        held.catch(() => {});
        for (let asked = 0; asked < 5; asked++) await getRun(trial, first);
        const answer = await trial.send(post(trial, pathOf(runId, what), body));
        assert(answer.status < 300, `${what} is taken, got ${answer.status}: ${answer.text}`);
        const { runs } = changedIn(await held);
        assertEqual(
          runs.map((run) => run.runId),
          [runId],
          `the runs of a wait for ${what}`,
        );
        ({ cursor } = await askAll(trial, topic, cursor));
      }
    },
  },
  {
    name: "W48 an answer that waits has at most `limit` runs too, and the others come after it",
    async run(trial) {
      const topic = newTopic();
      const ids: string[] = [];
      for (let at = 0; at < FEW; at++) ids.push(await create(trial, topic));
      let { cursor } = await askAll(trial, topic, "");
      for (let round = 0; round < ROUNDS; round++) {
        const held = ask(trial, { topic, changedSince: cursor, limit: 1, wait: 20 });
        held.catch(() => {});
        for (let asked = 0; asked < 5; asked++) await getRun(trial, ids[0] ?? "");
        await Promise.all(ids.map((runId) => land(trial, runId, ["NOTE"])));
        const first = changedIn(await held);
        assertEqual(first.runs.length + first.gone.length, 1, "how many runs came of the limit 1");
        const rest = await askAll(trial, topic, first.cursor);
        const seen = new Set([...first.runs.map(({ runId }) => runId), ...rest.runs.keys()]);
        assertEqual([...seen].toSorted(), ids.toSorted(), "the runs that came");
        ({ cursor } = rest);
      }
    },
  },
  {
    name: "W48 an answer that waits is empty when its time is up, and its cursor goes on",
    async run(trial) {
      const topic = newTopic();
      const runId = await create(trial, topic);
      const { cursor } = await askAll(trial, topic, "");
      const empty = changedIn(await ask(trial, { topic, changedSince: cursor, wait: 0.1 }));
      assertEqual(
        [empty.runs, empty.gone, empty.reset, empty.hasMore],
        [[], [], false, false],
        "the answer",
      );
      await land(trial, runId, ["NOTE"]);
      const { runs } = await askAll(trial, topic, empty.cursor);
      assertEqual([...runs.keys()], [runId], "the run that changed");
    },
  },
  {
    name: "W48 with `last` the answer has the last event of each run in it that has one, also after a wait",
    async run(trial) {
      const topic = newTopic();
      const [queued, running] = [await create(trial, topic), await create(trial, topic)];
      await land(trial, running, notes(3));
      const lastOf = async (runId: string): Promise<unknown> => {
        const { lastSequence } = await getRun(trial, runId);
        const page = `${pathOf(runId, "/events")}?since=${Number(lastSequence) - 1}`;
        const answer = await trial.send({ path: page, headers: trial.owner.bearer });
        return (answer.json()["events"] as readonly unknown[])[0];
      };
      const query = { topic, last: "true" };
      const first = changedIn(await ask(trial, { ...query, changedSince: "" }), true);
      assertEqual(
        first.runs.map(({ runId }) => runId).toSorted(),
        [queued, running].toSorted(),
        "the runs",
      );
      assertEqual(first.last, { [running]: await lastOf(running) }, "the last events");
      const { cursor: changedSince } = await askAll(trial, topic, "");
      const held = ask(trial, { ...query, changedSince, wait: 20 });
      held.catch(() => {});
      await land(trial, queued, ["NOTE"]);
      const { last } = changedIn(await held, true);
      assertEqual(last, { [queued]: await lastOf(queued) }, "the last event after a wait");
      for (const value of ["1", "", "yes"])
        assertProblem(
          await ask(trial, { topic, last: value, changedSince: "" }),
          400,
          "invalid_request",
        );
      changedIn(await ask(trial, { topic, last: "false", changedSince: "" }));
    },
  },
  {
    name: "W48 many runs come in answers of the limit, 50 by default, each run once",
    async run(trial) {
      const topic = newTopic();
      const ids: string[] = [];
      for (let at = 0; at < MANY; at++) ids.push(await create(trial, topic));
      for (const limit of [undefined, 7]) {
        const query = { topic, ...(limit === undefined ? {} : { limit }) };
        const first = changedIn(await ask(trial, { ...query, changedSince: "" }));
        // A group of runs is not cut, and few runs are in one.
        const most = (limit ?? 50) + 10;
        assert(
          first.runs.length <= most,
          `an answer has about ${limit ?? 50} runs, got ${first.runs.length}`,
        );
        assertEqual(first.hasMore, true, "whether more runs follow");
        const seen = first.runs.map(({ runId }) => runId);
        for (let { cursor, hasMore } = first; hasMore;) {
          const next = changedIn(await ask(trial, { ...query, changedSince: cursor }));
          assert(
            seen.length <= MANY,
            "an answer with `hasMore` has a run that did not come before",
          );
          seen.push(...next.runs.map(({ runId }) => runId));
          ({ cursor, hasMore } = next);
        }
        assertEqual(seen.toSorted(), ids.toSorted(), "the runs");
      }
    },
  },
  {
    name: "W48 another user's cursor starts over, with the caller's own runs",
    async run(trial) {
      const topic = newTopic();
      const mine = await create(trial, topic);
      const { cursor } = await askAll(trial, topic, "");
      const theirs = post(
        trial,
        "/v1/agent-runs",
        JSON.stringify({ topic }),
        trial.stranger.bearer,
      );
      const { runId } = (await trial.send(theirs)).json();
      const answer = await ask(trial, { topic, changedSince: cursor }, trial.stranger.bearer);
      const { runs, reset } = changedIn(answer);
      assertEqual([runs.map((run) => run.runId), reset], [[runId], true], "the stranger's answer");
      await land(trial, mine, ["NOTE"]);
      const own = await askAll(trial, topic, cursor);
      assertEqual([...own.runs.keys()], [mine], "the owner's answer");
    },
  },
  {
    name: "W48 a `changedSince` that is not a cursor is 400 invalid_cursor; parameters of a list and bad values are 400 invalid_request",
    async run(trial) {
      const topic = newTopic();
      await create(trial, topic);
      const { cursor } = await askAll(trial, topic, "");
      for (const text of ["12", "x", `${cursor}!`, cursor.slice(1), "1.2.3"]) {
        assertProblem(await ask(trial, { changedSince: text }), 400, "invalid_cursor");
      }
      const queries = [
        "status=live",
        "status=running",
        "cursor=1",
        "wait=31",
        "wait=x",
        "limit=0",
        "limit=201",
        "topic=",
        `changedSince=`,
      ];
      for (const query of queries) {
        const asked = `changedSince=${encodeURIComponent(cursor)}&${query}`;
        assertProblem(await askBy(trial, asked), 400, "invalid_request");
      }
      for (const query of ["wait=1", "last=true"])
        assertProblem(await askBy(trial, query), 400, "invalid_request");
    },
  },
];
