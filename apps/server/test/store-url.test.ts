import fc from "fast-check";
import { expect, it } from "vitest";
import { parseSettings } from "../src/settings.ts";
import { encodeStoreUrl, parseStoreUrl, STORE_URL_FORMS } from "../src/store-url.ts";

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

const MALFORMED: readonly string[] = [
  "",
  " ",
  "memory",
  "memory:x",
  "mysql://root:hunter2@db/runs",
  "Postgres://db/runs",
  "redis+sentinel://a:1/main",
  "sqlite:",
  "sqlite::memory:",
  "sqlite:a.db\nredis://u:hunter2@h",
  "postgres:",
  "postgres:/runs",
  "redis:",
  "postgres://a:1,b:2/runs",
  "postgres://db:port/runs",
  "postgres://ada:hunt/er2@db:5432/runs",
  "postgres://a<b/runs",
  "redis://",
  "redis://:6379",
  "redis://a b",
  "redis://localhost:0",
  "redis://localhost:65536",
  "redis://[::1]:x",
  "redis://localhost/one",
  "redis://localhost/1/2",
  "redis://localhost/1?family=6",
  "redis://token@localhost",
  "redis://user:@localhost",
  "redis://user:50%@localhost",
  "redis://user:hunter#2@localhost",
  "redis://user:hunter@2@localhost",
  "redis://a,b",
  "redis+cluster://",
  "redis+cluster://a:1,",
  "redis+cluster://a:1,,b:2",
  "redis+cluster://a:1/0",
];

function malformedLine(text: string): string {
  const parsed = parseSettings({ STORE_URL: text });
  if (!("malformed" in parsed)) throw new Error("it was taken");
  return parsed.malformed;
}

const LINE = `STORE_URL: expected ${STORE_URL_FORMS}`;

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

it.each(MALFORMED)("a store's URL is malformed as %j", (text) => {
  expect(parseStoreUrl(text)).toBe(null);
  expect(malformedLine(text)).toBe(LINE);
});
