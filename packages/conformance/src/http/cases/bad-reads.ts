import type { Call } from "../call.ts";
import { RUNS, RUNS_STREAM, withQuery } from "../paths.ts";
import type { Place, RefusedCases } from "./refused.ts";

/** Requests of a run's events and of its stream, by GET and by HEAD, also by a reader that comes back. */
function readers(query: string, { owner, run }: Place): readonly Call[] {
  const path = run.at("/stream", query);
  const headers = owner.session;
  return [
    owner.call("GET", run.at("/events", query)),
    { path, headers },
    { path, headers: { ...headers, "last-event-id": "2" } },
  ];
}

/** Paths and queries that are refused: a case a row. */
export const BAD_READS: RefusedCases = {
  "W3 a broken escape in a path is 400": {
    bad: () => ["%", "%zz", "%ff", "%C3%28"],
    calls: (id, { owner }) => [owner.call("GET", `${RUNS}/${id}/events`)],
  },
  "W3 an unknown path is 404": {
    problem: [404, "not_found"],
    bad: ({ run }) => [
      ..."/v1 /v2/agent-runs /v1/agent-run".split(" "),
      ...["/event", "/events/1", "/constructor"].map((leaf) => run.at(leaf)),
    ],
    calls: (path, { owner }) => [owner.call("GET", path)],
  },
  "W3 a path with a character that no id has is 404": {
    problem: [404, "not_found"],
    bad: () => [..."a%2Fb a%00 a%20b %C3%A9".split(" "), "a".repeat(129)],
    calls: (id, { owner }) =>
      ["", "/events"].map((leaf) => owner.call("GET", `${RUNS}/${id}${leaf}`)),
  },
  "W14 a list with a bad parameter is 400": {
    bad: () => [
      ..."limit=0 limit=201 limit=1.5 limit= limit=1&limit=1".split(" "),
      ..."status=done cursor= cursor=%2F".split(" "),
    ],
    calls: (query, { owner }) => [owner.call("GET", withQuery(RUNS, query))],
  },
  "W15 a cursor that is not a plain non-negative integer, or is given twice, is invalid_cursor, also on the stream and with any Last-Event-ID":
    {
      problem: [400, "invalid_cursor"],
      bad: () => ["", ..."x -1 %2B1 1.0 1e3 01 %201 0x1 NaN 1,2 0&since=0".split(" ")],
      calls: (since, place) => readers(`since=${since}`, place),
    },
  "W15 a bad limit or wait is 400": {
    bad: () => [
      ..."limit=0 limit=1001 limit=x limit= limit=2&limit=2".split(" "),
      ..."wait=-1 wait=31 wait= wait=1&wait=1".split(" "),
    ],
    calls: (query, { owner, run }) => [owner.call("GET", run.at("/events", query))],
  },
  "W34 a list of a bad topic is 400": {
    bad: () => [
      ..."topic= topic topic=a%00b topic=a%0A topic=%7F topic=%C2%85".split(" "),
      ..."topic=a&topic=b topic=a&topic=a".split(" "),
      `topic=${"x".repeat(201)}`,
      `topic=${encodeURIComponent("\u{1f375}".repeat(201))}`,
    ],
    calls: (query, { owner }) => [owner.call("GET", withQuery(RUNS, query))],
  },
  "W45 a tail that is not a plain integer from 1 to 1,000, is given twice, or with since, is 400": {
    bad: () => [
      ...["0", "1001", "-1", "%2B1", "01", "1.5", "1e2", "", "x", "1,2"].map((n) => `tail=${n}`),
      ..."tail tail=1&tail=2 tail=2&tail=2 tail=2&since=0 since=1&tail=2".split(" "),
    ],
    calls: readers,
  },
  "W46 an at that is not a time as events have it, is given twice, or has no event, is 400": {
    bad: ({ at }) => [
      ...["", "x", "2", "2026-01-31", "2026-01-31T08:00:00Z", "2026-01-31T08:00:00.000"].map(
        (time) => `since=2&at=${time}`,
      ),
      ...["z", "0Z", "%2B00:00"].map((end) => `since=2&at=2026-01-31T08:00:00.000${end}`),
      ..."since=2&at since=2&at=2026-02-30T08:00:00.000Z".split(" "),
      `since=2&at=%20${at}`,
      `since=2&at=${at}&at=${at}`,
      ...["at=", "since=0&at=", "tail=1&at="].map((query) => `${query}${at}`),
    ],
    calls: readers,
  },
  "W47 runs that are not 1 to 100 entries, each an id with a cursor or a tail, and each once, are 400":
    {
      bad: () => [
        "",
        ..."a a: :1 a:x a:01 a:1.5 a:-0 a:-1001 a:--1 a%20b:1".split(" "),
        ..."a:1, ,a:1 a:1;b:1 a:1,a:2 a:1&runs=b:1".split(" "),
        Array.from({ length: 101 }, (_, at) => `r${at}:0`).join(),
      ],
      calls: (runs, { owner }) =>
        [RUNS_STREAM, withQuery(RUNS_STREAM, `runs=${runs}`)].map((path) => ({
          path,
          headers: owner.session,
        })),
    },
  "W48 the bad parameters of a list or a feed, and those of one without the other, are 400": {
    bad: ({ run }) => [
      ...["none", "live&feed=live", "live&topic=", "live&last=1"].flatMap((feed) => [
        `?feed=${feed}`,
        `/stream?feed=${feed}`,
      ]),
      ...["status=live", "cursor=1", "limit=1", "wait=31"].map((bad) => `?feed=live&${bad}`),
      ..."?have=x ?last=true ?wait=1 /stream?feed= /stream?feed=live&runs=".split(" "),
      ...["topic=tea", "last=true", "have="].map((bad) => `/stream?runs=${run.id}:0&${bad}`),
    ],
    calls: (rest, { owner }) => [{ path: `${RUNS}${rest}`, headers: owner.session }],
  },
};
