import fc from "fast-check";
import { expect, it } from "vitest";
import { parseSettings } from "../src/settings.ts";
import { encodeStoreUrl, parseStoreUrl, STORE_URL_FORMS } from "../src/store-url.ts";

const NO_SCHEME =
  "its scheme is not one of memory, sqlite, postgres, postgresql, redis, rediss, redis+cluster";

/** Any text that UTF-8 can carry. */
const secret = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
const port = fc.integer({ min: 1, max: 65_535 });
const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);
const node = fc.tuple(host, port).map(([name, number]) => ({ name, number }));
const encodeNode = ({ name, number }: { readonly name: string; readonly number: number }): string =>
  `${name}:${number}`;
const bare = (name: string): string => name.replaceAll(/[[\]]/g, "");

/** A URL in two halves, between which a user and a password may be. */
const halves = fc.oneof(
  fc.tuple(
    fc.constantFrom("postgres://", "postgresql://"),
    fc
      .tuple(node, fc.constantFrom("", "/", "/runs", "/runs?sslmode=disable"))
      .map(([at, path]) => encodeNode(at) + path),
  ),
  fc.tuple(
    fc.constantFrom("redis://", "rediss://"),
    fc
      .tuple(node, fc.option(fc.nat(99_999), { nil: null }))
      .map(([at, database]) => encodeNode(at) + (database === null ? "" : `/${database}`)),
  ),
  fc.tuple(
    fc.constant("redis+cluster://"),
    fc.array(node, { minLength: 1, maxLength: 4 }).map((nodes) => nodes.map(encodeNode).join(",")),
  ),
);

/** The URL as it may be shown; `null` if it is malformed. */
function shown(text: string): string | null {
  const storeUrl = parseStoreUrl(text);
  return storeUrl === null ? null : encodeStoreUrl(storeUrl);
}

const UNENCODED = "its user or password holds a character that has to be percent-encoded";
const PORT = "a port is an integer from 1 to 65535";

const MALFORMED: readonly (readonly [text: string, flaw: string | null])[] = [
  ["", "it is empty"],
  [" ", "it is empty"],
  ["memory", "it has no scheme"],
  ["memory:x", "something follows memory:"],
  ["mysql://root:hunter2@db/runs", NO_SCHEME],
  ["Postgres://db/runs", NO_SCHEME],
  ["redis+sentinel://a:1/main", NO_SCHEME],
  ["sqlite:", "it has no path"],
  ["sqlite::memory:", "its path has a colon first"],
  ["sqlite:a.db\nredis://u:hunter2@h", "its path has a control character"],
  ["postgres:", "it lacks two slashes after the scheme"],
  ["postgres:/runs", "it lacks two slashes after the scheme"],
  ["redis:", "it lacks two slashes after the scheme"],
  ["postgres://a:1,b:2/runs", "it has more than one host"],
  ["postgres://db:port/runs", PORT],
  ["postgres://ada:hunt/er2@db:5432/runs", UNENCODED],
  ["postgres://a<b/runs", null],
  ["redis://", "it lacks a host"],
  ["redis://:6379", "it lacks a host"],
  ["redis://a b", "it holds white space"],
  ["redis://localhost:0", PORT],
  ["redis://localhost:65536", PORT],
  ["redis://[::1]:x", PORT],
  ["redis://localhost/one", "its database is not a number"],
  ["redis://localhost/1/2", "its database is not a number"],
  ["redis://localhost/1?family=6", "it has a query or a fragment"],
  ["redis://token@localhost", "it has a user without a password"],
  ["redis://user:@localhost", "it has a user without a password"],
  ["redis://user:50%@localhost", "a percent sign in its user or password encodes nothing"],
  ["redis://user:hunter#2@localhost", UNENCODED],
  ["redis://user:hunter@2@localhost", UNENCODED],
  ["redis://a,b", "it has more than one host"],
  ["redis+cluster://", "it lacks a host"],
  ["redis+cluster://a:1,", "it lacks a host"],
  ["redis+cluster://a:1,,b:2", "it lacks a host"],
  ["redis+cluster://a:1/0", "a cluster has no numbered databases"],
];

/** The schemes of stores, as a URL begins with them. */
const SCHEMES = ["memory:", "sqlite:", "postgres://", "redis://", "rediss://", "redis+cluster://"];

function malformedLine(text: string): string {
  const parsed = parseSettings({ STORE_URL: text });
  if (!("malformed" in parsed)) throw new Error("it was taken");
  return parsed.malformed;
}

function lineOf(flaw: string | null): string {
  return `STORE_URL: expected ${STORE_URL_FORMS}${flaw === null ? "" : `; ${flaw}`}`;
}

it("a store's URL is shown without its user and password, for any of them", () => {
  fc.assert(
    fc.property(halves, secret, secret, ([scheme, rest], username, password) => {
      const userInfo = `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
      const without = shown(scheme + rest);
      expect(without).not.toBe(null);
      expect(shown(scheme + userInfo + rest)).toBe(without);
    }),
  );
});

it("a store's URL with a password that is not encoded is shown without it or refused", () => {
  const raw = fc.oneof(
    secret,
    fc.string({ unit: fc.constantFrom("1", "/", "?", "#", ":", "@", "%", "\\", ",", "[", " ") }),
  );
  fc.assert(
    fc.property(halves, raw, ([scheme, rest], password) => {
      expect([null, shown(scheme + rest)]).toContain(shown(`${scheme}user:${password}@${rest}`));
    }),
    { numRuns: 1_000 },
  );
});

it("a store's URL is shown without the query, where pg takes a password too", () => {
  expect(shown("postgres://db.example/runs?password=hunter2&user=ada")).toBe(
    "postgres://db.example/runs",
  );
});

it("a store's URL is never a part of the line that names a malformed one", () => {
  const fixed = MALFORMED.map(([, flaw]) => lineOf(flaw));
  fc.assert(
    fc.property(
      fc.oneof(
        secret,
        secret.map((text) => `${text}:${text}`),
        fc.tuple(fc.constantFrom(...SCHEMES), secret).map((parts) => parts.join("")),
        fc.tuple(halves, secret).map(([[scheme, rest], text]) => scheme + text + rest),
        fc.tuple(halves, secret).map(([[scheme, rest], text]) => `${scheme}${text}@${rest}`),
        fc.tuple(halves, secret).map(([[scheme, rest], text]) => scheme + rest + text),
      ),
      (text) => {
        fc.pre(parseStoreUrl(text) === null);
        expect([lineOf(null), ...fixed]).toContain(malformedLine(text));
      },
    ),
    { numRuns: 1_000 },
  );
});

it("the URL of a Redis has the server, the user, the password and the database", () => {
  fc.assert(
    fc.property(
      node,
      secret,
      secret,
      fc.nat(99_999),
      fc.boolean(),
      (at, username, password, database, tls) => {
        const userInfo = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
        const scheme = tls ? "rediss" : "redis";
        expect(parseStoreUrl(`${scheme}://${userInfo}@${encodeNode(at)}/${database}`)).toEqual({
          kind: "redis",
          tls,
          host: bare(at.name),
          port: at.number,
          username,
          password,
          database,
        });
      },
    ),
  );
  const local = { kind: "redis", tls: false, host: "localhost", port: 6379, database: 0 };
  const noUser = { username: null, password: null };
  expect(parseStoreUrl("redis://localhost")).toEqual({ ...local, ...noUser });
  expect(parseStoreUrl("redis://localhost/")).toEqual({ ...local, ...noUser });
  expect(parseStoreUrl("redis://:a:b@localhost")).toEqual({
    ...local,
    username: null,
    password: "a:b",
  });
});

it("the URL of a Redis Cluster has some of its servers", () => {
  fc.assert(
    fc.property(fc.array(node, { minLength: 1 }), secret, (nodes, password) => {
      const url = `redis+cluster://:${encodeURIComponent(password)}@${nodes.map(encodeNode).join(",")}`;
      expect(parseStoreUrl(url)).toEqual({
        kind: "redis+cluster",
        nodes: nodes.map(({ name, number }) => ({ host: bare(name), port: number })),
        username: null,
        password,
      });
    }),
  );
  expect(shown("redis+cluster://a,b:7001")).toBe("redis+cluster://a:6379,b:7001");
});

it("the URL of a Postgres is given to pg as it is", () => {
  const url = "postgres://ada:p%40ss@db.example:6432/runs?sslmode=verify-full";
  expect(parseStoreUrl(url)).toEqual({ kind: "postgres", url });
  expect(shown(url)).toBe("postgres://db.example:6432/runs");
  expect(shown("postgresql:///runs?host=/run/postgresql")).toBe("postgres:///runs");
});

it.each(MALFORMED)("a store's URL is malformed as %j: %s", (text, flaw) => {
  expect(parseStoreUrl(text)).toBe(null);
  expect(malformedLine(text)).toBe(lineOf(flaw));
});
