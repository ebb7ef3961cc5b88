import { assert, assertEqual } from "../../assert.ts";
import { assertProblem } from "../assert-answer.ts";
import type { Answer, HeaderList } from "../call.ts";
import type { HttpCases } from "../http-trial.ts";
import { changesOn, leaseChangesOn, readsOn, withHeaders } from "../run-calls.ts";
import { RUNS } from "../paths.ts";

/** The headers that a client of the wire sends and that not every page may. */
const REQUEST_HEADERS = [
  "authorization",
  "content-type",
  "idempotency-key",
  "if-none-match",
  "run-fence",
];

function namesOf(header: string | null): readonly string[] {
  return (header ?? "").split(",").map((name) => name.trim().toLowerCase());
}

/** Fails unless a page of this origin may read the answer, and no cache hands it to another's. */
function assertReadable({ headers, to }: Pick<Answer, "headers" | "to">, origin: string): void {
  const names = ["access-control-allow-origin", "access-control-allow-credentials"];
  const found = names.map((name) => headers.get(name));
  assertEqual(found, [origin, "true"], `Access-Control-Allow-Origin and -Credentials of ${to}`);
  assert(namesOf(headers.get("vary")).includes("origin"), `${to} has Vary: Origin`);
}

function assertUnreadable({ headers, to }: Answer, origin: string): void {
  for (const name of ["access-control-allow-origin", "access-control-allow-credentials"]) {
    assertEqual(headers.get(name), null, `${name} of ${to} from ${origin}`);
  }
}

/** Origins that are not on the list, some of which look as if they were. */
function strangersTo(allowed: string): readonly string[] {
  const { protocol, hostname, host } = new URL(allowed);
  return [
    "https://evil.example",
    "null",
    `${allowed}.evil.example`,
    `${protocol}//sub.${host}`,
    `${protocol}//${hostname}:1`,
    `${protocol === "https:" ? "http:" : "https:"}//${host}`,
  ];
}

/** The headers of a browser's preflight, which comes before a page of this origin may send a request. */
function preflight(origin: string, method: string): HeaderList {
  return {
    origin,
    "access-control-request-method": method,
    "access-control-request-headers": REQUEST_HEADERS.join(","),
  };
}

/** Cases of W5 and W19 in `WIRE.md`: pages of an origin on the list, and of those that are not. */
export function allowedOrigins(allowed: string): HttpCases {
  const from = { origin: allowed, "sec-fetch-site": "cross-site" };
  return { ...changes(allowed, from), ...reads(allowed, from) };
}

function changes(allowed: string, from: HeaderList): HttpCases {
  return {
    "W5 a change by cookie from an origin on the list passes, and its page may read the answer, and refusals too":
      async ({ owner, send }) => {
        for (const page of [from, { origin: allowed }]) {
          const asked = { ...owner.session, ...page };
          const [run, claimed] = [await owner.record(), await owner.record()];
          const { fence } = await claimed.claim();
          const calls = [...readsOn(run), ...changesOn(run), ...leaseChangesOn(claimed, fence)];
          for (const call of calls) {
            const answer = await send(withHeaders(call, asked));
            assert(answer.status < 300, `${answer.to} passes, got ${answer.status}`);
            assertReadable(answer, allowed);
          }
          for (const path of ["/none", "/none/events?since=x"]) {
            const answer = await send({ path: `${RUNS}${path}`, headers: asked });
            assert(answer.status >= 400, `${answer.to} is refused, got ${answer.status}`);
            assertReadable(answer, allowed);
          }
          assertReadable(await send({ path: RUNS, headers: page }), allowed);
        }
      },
    "W5 from an origin that is not on the list a change by cookie and a stream are 403, no preflight is allowed, and its page may read nothing":
      async ({ owner, send }) => {
        const run = await owner.record("NOTE");
        const refused = [...changesOn(run), ...leaseChangesOn(run, 1), { path: run.at("/stream") }];
        for (const origin of strangersTo(allowed)) {
          const headers = { ...owner.session, origin };
          for (const call of refused) {
            const answer = await send(withHeaders(call, headers));
            assertProblem(answer, 403, "cross_site_request");
            assertUnreadable(answer, origin);
          }
          const asked = { method: "OPTIONS", path: run.at("/events") };
          for (const call of [...readsOn(run), withHeaders(asked, preflight(origin, "POST"))]) {
            assertUnreadable(await send(withHeaders(call, headers)), origin);
          }
        }
        await run.assertLength(1);
      },
  };
}

function reads(allowed: string, from: HeaderList): HttpCases {
  return {
    "W5 a preflight is allowed for an origin on the list": async ({ owner, send }) => {
      const run = await owner.record();
      for (const { path, method = "" } of [
        { path: RUNS, method: "POST" },
        { path: run.at(), method: "DELETE" },
        ...changesOn(run),
        ...leaseChangesOn(run, 1),
      ]) {
        const headers = preflight(allowed, method);
        const answer = await send({ method: "OPTIONS", path, headers });
        const isOpen = answer.status < 300;
        assert(isOpen, `${answer.to} is answered without a credential, got ${answer.status}`);
        assertReadable(answer, allowed);
        const methods = namesOf(answer.headers.get("access-control-allow-methods"));
        assert(methods.includes(method.toLowerCase()), `${answer.to} allows ${method}`);
        const names = namesOf(answer.headers.get("access-control-allow-headers"));
        for (const name of REQUEST_HEADERS)
          assert(names.includes(name), `${answer.to} allows ${name}`);
      }
    },
    "W19 a page of an origin on the list gets the stream with exact headers": async ({
      owner,
      send,
    }) => {
      const run = await owner.record("RUN_COMPLETED");
      const path = run.at("/stream");
      for (const method of ["GET", "HEAD"]) {
        const answer = await send({ method, path, headers: { ...owner.session, ...from } });
        assertEqual(answer.status, 200, `the status of ${answer.to}`);
        assertReadable(answer, allowed);
      }
    },
  };
}
