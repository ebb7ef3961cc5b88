import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { Answer } from "../call.ts";
import type { HttpTrialCase } from "../http-trial.ts";
import { pathOf, record } from "../runs.ts";
import { HOST_NAME, sessionCookieIn } from "../session-cookie.ts";

const PATH = "/v1/session";

/** Checks what a browser requires of the cookie's name over https, and that scripts cannot read the cookie. */
function assertCookie(baseUrl: string, { headers }: Answer): void {
  const cookie = sessionCookieIn(headers);
  const names = headers.getSetCookie().map((one) => one.split("=", 1)[0]);
  assert(cookie !== null, `the cookie has its name, got ${names.join(", ") || "none"}`);
  const { name, attributes } = cookie;
  if (baseUrl.startsWith("https:")) assertEqual(name, HOST_NAME, "the cookie's name over https");
  assert(attributes.includes("httponly"), "a page's scripts cannot read the cookie");
  if (name !== HOST_NAME) return;
  assert(
    attributes.includes("secure") &&
      attributes.includes("path=/") &&
      !attributes.some((one) => one.startsWith("domain")),
    `${HOST_NAME} has Secure and Path=/ and no Domain, got ${attributes.join("; ")}`,
  );
}

/** Cases of W29 in `WIRE.md`: the session of a server that has `POST /v1/session`. */
export const session: readonly HttpTrialCase[] = [
  {
    name: "W29 a bearer token opens a session, which shows its user and its expiry",
    async run(trial) {
      const opened = await trial.send({ method: "POST", path: PATH, headers: trial.owner.bearer });
      assertStatus(opened, 204);
      assertCookie(trial.baseUrl, opened);
      const answer = await trial.send({ path: PATH, headers: trial.owner.session });
      assertStatus(answer, 200);
      const { userId, expiresAt } = answer.json();
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
    name: "W29 a session that was ended is not valid any more",
    async run(trial) {
      const opened = await trial.send({ method: "POST", path: PATH, headers: trial.owner.bearer });
      const headers = { cookie: sessionCookieIn(opened.headers)?.pair ?? "" };
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
      for (const headers of [{}, { authorization: "Bearer unknown" }]) {
        const answer = await trial.send({ method: "POST", path: PATH, headers });
        assertProblem(answer, 401, "unauthenticated");
        assertEqual(answer.headers.getSetCookie(), [], "the cookies");
      }
    },
  },
];
