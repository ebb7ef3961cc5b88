import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { pathOf, record } from "../runs.ts";

const PATH = "/v1/session";

/** W29: the session of a server that has `POST /v1/session`. */
export const session: readonly HttpTrialCase[] = [
  {
    name: "W29 a bearer token opens a session, which says whose it is and until when",
    async run(trial) {
      const opened = await trial.send({ method: "POST", path: PATH, headers: trial.owner.bearer });
      assertStatus(opened, 204);
      const [cookie = ""] = opened.headers.getSetCookie();
      assert(/^run_events_session=[^;]+;/.test(cookie), `the cookie has its name, got ${cookie}`);
      assert(/; *HttpOnly/i.test(cookie), "a page's scripts cannot read the cookie");
      const told = await trial.send({ path: PATH, headers: trial.owner.session });
      assertStatus(told, 200);
      const { userId, expiresAt } = told.json();
      const run = await trial.send({
        path: pathOf(await record(trial)),
        headers: trial.owner.session,
      });
      assertEqual(userId, run.json()["ownerId"], "userId, the owner of this user's runs");
      assert(
        Date.parse(String(expiresAt)) > Date.now(),
        `expiresAt is to come, got ${String(expiresAt)}`,
      );
    },
  },
  {
    name: "W29 a session that was ended is one no more",
    async run(trial) {
      const opened = await trial.send({ method: "POST", path: PATH, headers: trial.owner.bearer });
      const headers = { cookie: opened.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "" };
      const foreign = { ...headers, "sec-fetch-site": "cross-site" };
      const refused = await trial.send({ method: "DELETE", path: PATH, headers: foreign });
      assertProblem(refused, 403, "cross_site_request");
      assertStatus(await trial.send({ method: "DELETE", path: PATH, headers }), 204);
      assertProblem(await trial.send({ path: PATH, headers }), 401, "unauthenticated");
      const stream = pathOf(await record(trial), "/stream");
      assertProblem(await trial.send({ path: stream, headers }), 401, "unauthenticated");
    },
  },
  {
    name: "W29 without a valid credential there is no session",
    async run(trial) {
      for (const headers of [{}, { authorization: "Bearer nobody" }]) {
        const answer = await trial.send({ method: "POST", path: PATH, headers });
        assertProblem(answer, 401, "unauthenticated");
        assertEqual(answer.headers.getSetCookie(), [], "the cookies");
      }
    },
  },
];
