import { assert, assertEqual } from "../../assert.ts";
import { assertProblem, assertStatus } from "../assert-answer.ts";
import type { HttpCases } from "../http-trial.ts";
import { HOST_NAME, sessionCookieIn } from "../session-cookie.ts";

const PATH = "/v1/session";

/** Checks what a browser requires of the cookie's name over https, and that scripts cannot read the cookie. */
function assertCookie(baseUrl: string, headers: Headers): void {
  const cookie = sessionCookieIn(headers);
  const names = headers.getSetCookie().map((one) => one.split("=", 1)[0]);
  assert(cookie !== null, `the cookie has its name, got ${names.join(", ") || "none"}`);
  const { name, attributes } = cookie;
  if (baseUrl.startsWith("https:")) assertEqual(name, HOST_NAME, "the cookie's name over https");
  assert(attributes.includes("httponly"), "a page's scripts cannot read the cookie");
  if (name !== HOST_NAME) return;
  const isOfHost =
    attributes.includes("secure") &&
    attributes.includes("path=/") &&
    !attributes.some((one) => one.startsWith("domain"));
  assert(isOfHost, `${HOST_NAME} has Secure and Path=/ and no Domain: ${attributes.join("; ")}`);
}

/** Cases of W29 in `WIRE.md`: the session of a server that has `POST /v1/session`. */
export const session: HttpCases = {
  "W29 a bearer token opens a session, which shows its user and its expiry; without a token none is opened":
    async ({ owner, send, baseUrl }) => {
      const opened = await owner.post(PATH);
      assertStatus(opened, 204);
      assertCookie(baseUrl, opened.headers);
      const answer = await send({ path: PATH, headers: owner.session });
      assertStatus(answer, 200);
      const { userId, expiresAt } = answer.json();
      const { ownerId } = await (await owner.record()).read();
      assertEqual(userId, ownerId, "userId, the owner of this user's runs");
      const isToCome = Date.parse(String(expiresAt)) > Date.now();
      assert(isToCome, `expiresAt is to come, got ${String(expiresAt)}`);
      for (const headers of [{}, { authorization: "Bearer unknown" }]) {
        const refused = await send({ method: "POST", path: PATH, headers });
        assertProblem(refused, 401, "unauthenticated");
        assertEqual(refused.headers.getSetCookie(), [], "the cookies");
      }
    },
  "W29 a session that was ended is not valid any more": async ({ owner, send }) => {
    const opened = await owner.post(PATH);
    const headers = { cookie: sessionCookieIn(opened.headers)?.pair ?? "" };
    const foreign = { ...headers, "sec-fetch-site": "cross-site" };
    const refused = await send({ method: "DELETE", path: PATH, headers: foreign });
    assertProblem(refused, 403, "cross_site_request");
    assertStatus(await send({ method: "DELETE", path: PATH, headers }), 204);
    for (const path of [PATH, (await owner.record()).at("/stream")]) {
      assertProblem(await send({ path, headers }), 401, "unauthenticated");
    }
  },
};
