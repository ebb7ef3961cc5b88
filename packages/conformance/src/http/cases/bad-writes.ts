import type { Call } from "../call.ts";
import { LINES_TYPE, RUNS } from "../paths.ts";
import { fenced, keyed, LONG_LEASE_MS } from "../wire-run.ts";
import type { Place, RefusedCases } from "./refused.ts";

const EVENT = '{"eventType":"NOTE"}';
const LENGTHS = ["0", "-1", "999", "3600001", "1000.5", '"1000"', "null", "true", "[1000]"];
const FENCES = ['"1"', "1.5", "null", "true", "[1]"];
const NO_BODIES = ["", "{", "[]", "null", "1000", "{}"];

/** JSON values where `null` or a text of 1 to `most` characters is expected. */
function badTexts(most: number): readonly string[] {
  return [
    '""',
    JSON.stringify("x".repeat(most + 1)),
    JSON.stringify("\u{1f375}".repeat(most + 1)),
    '"a\\u0000b"',
    '"a\\n"',
    '"\\u007f"',
    '"\\u0085"',
    '"\\ud83c"',
    "7",
    "true",
    '["tea"]',
    "{}",
  ];
}

const creation = (body: string, { owner }: Place): readonly Call[] => [
  owner.call("POST", RUNS, body),
];
const appends = (headers: Readonly<Record<string, string>>, { owner, run }: Place) => [
  run.appendCall(["NOTE"], headers),
  owner.call("POST", run.at("/events"), `${EVENT}\n`, { ...LINES_TYPE, ...headers }),
];

/** Bodies and headers that are refused: a case a row. */
export const BAD_WRITES: RefusedCases = {
  "W8 an invalid id, the path of the stream as one, an unknown field and a body that is not an object are 400":
    {
      bad: () => [
        ...["", "a b", "é", "a/b", "x".repeat(129), "stream"].map((id) => `{"runId":"${id}"}`),
        ...'{"runId":7} {"runId":null} {"owner":"x"} [] {'.split(" "),
      ],
      calls: creation,
    },
  "W9 one bad event refuses the batch whole, with its index": {
    problem: [422, "invalid_event", { index: 1 }],
    bad: () => [
      ...'7 null {"payload":1} {"eventType":7} {"eventType":"NOTE","sequence":1}'.split(" "),
      '{"eventType":"NOTE","payload":1,"payload":2}',
      ...["Note", "_NOTE", "", "A".repeat(65), "NOTE\\n"].map((type) => `{"eventType":"${type}"}`),
    ],
    calls: (event, { owner, run }) => [
      owner.call("POST", run.at("/events"), `{"events":[${EVENT},${event},${EVENT}]}`),
    ],
  },
  "W9 an invalid body, or one of another type, is 400 and writes nothing": {
    bad: () => [
      ...NO_BODIES,
      '{"events":[',
      `[${EVENT}]`,
      `{"events":${EVENT}}`,
      '{"events":[]}',
      `{"events":[${EVENT}],"runId":"r"}`,
      `\ufeff{"events":[${EVENT}]}`,
      `{"events":[${Array(1_001).fill(EVENT).join()}]}`,
    ],
    calls: (body, { owner, run }) => {
      const bytes = new TextEncoder().encode('{"events":[{"eventType":"NOTE","payload":"?"}]}');
      const notUtf8 = bytes.map((byte) => (byte === 63 ? 0xff : byte));
      const text = { "content-type": "text/plain" };
      return [
        owner.call("POST", run.at("/events"), body),
        owner.call("POST", run.at("/events"), notUtf8),
        owner.call("POST", run.at("/events"), `{"events":[${EVENT}]}`, text),
      ];
    },
  },
  "W10 a key that is not 1 to 128 printable ASCII characters is 400, of an append, a claim and a creation":
    {
      bad: () => ["", "k".repeat(129), "sch\u00f6n", "a\tb"],
      calls: (key, { owner, run, free }) => [
        run.appendCall(["NOTE"], keyed(key)),
        owner.call("POST", run.at("/claim"), '{"leaseMs":60000}', keyed(key)),
        owner.call("POST", RUNS, `{"runId":"${free}","leaseMs":60000}`, keyed(key)),
      ],
    },
  "W11 an expectedSequence that is not a sequence is 400, of an append and of an input": {
    bad: () => ["-1", "1.5", '"0"', "null"],
    calls: (expected, { owner, run }) => [
      run.appendCall(["NOTE"], {}, `,"expectedSequence":${expected}`),
      owner.call("POST", run.at("/input"), `{"payload":1,"expectedSequence":${expected}}`),
    ],
  },
  "W12 lines without an event are 400": {
    bad: () => ["\n", " \r\n\t\n"],
    calls: (body, { owner, run }) => [owner.call("POST", run.at("/events"), body, LINES_TYPE)],
  },
  "W31 a body that a claim, a renewal or a release does not take is 400 and changes nothing": {
    isClaimed: true,
    bad: ({ fence }) => [
      ...NO_BODIES.flatMap((body) => ["POST", "PUT", "DELETE"].map((one) => `${one} ${body}`)),
      ...LENGTHS.flatMap((bad) => [
        `POST {"leaseMs":${bad}}`,
        `PUT {"fence":${fence},"leaseMs":${bad}}`,
      ]),
      ...FENCES.flatMap((bad) => [
        `PUT {"fence":${bad},"leaseMs":60000}`,
        `DELETE {"fence":${bad}}`,
      ]),
      `PUT {"fence":${fence}}`,
    ],
    calls: (bad, { owner, run }) => {
      const [method = "", body] = bad.split(/ (.*)/s);
      return [owner.call(method, run.at("/claim"), body)];
    },
  },
  "W32 an invalid Run-Fence is 400 and writes nothing": {
    isClaimed: true,
    bad: ({ fence }) => [
      "",
      "one",
      ...[".0", ".5", `, ${fence}`].map((end) => `${fence}${end}`),
      `"${fence}"`,
    ],
    calls: (fence, place) => appends(fenced(fence), place),
  },
  "W34 a bad topic is 400 and creates nothing": {
    bad: () => badTexts(200),
    calls: (topic, place) => creation(`{"runId":"${place.free}","topic":${topic}}`, place),
  },
  "W35 `exclusive` without a topic, or one that is no boolean, is 400 and creates nothing": {
    bad: ({ free }) => [
      '{"exclusive":true}',
      '{"exclusive":true,"topic":null}',
      ...["1", "0", '"true"', "null", "[true]", "{}"].map(
        (value) => `{"topic":"${free}","exclusive":${value}}`,
      ),
    ],
    calls: creation,
  },
  "W36 a bad leaseMs, a bad worker, or a worker without leaseMs is 400 and creates nothing": {
    bad: () => [
      ...LENGTHS.map((leaseMs) => `"leaseMs":${leaseMs}`),
      ...badTexts(100).map((worker) => `"leaseMs":60000,"worker":${worker}`),
      '"worker":"w-1"',
    ],
    calls: (fields, place) => creation(`{"runId":"${place.free}",${fields}}`, place),
  },
  "W36 an Idempotency-Key without a run id is 400 and creates nothing, as sent again it would create another run":
    {
      bad: ({ free }) => [`{"topic":"${free}","leaseMs":60000}`, `{"topic":"${free}"}`],
      calls: (body, { owner }) => [owner.call("POST", RUNS, body, keyed("start"))],
    },
  "W39 a bad input appends nothing": {
    bad: () => ["1", "[]", '{"input":1}', '{"payload":1,"payload":2}', '{"payload":}'],
    calls: (body, { owner, run }) => [owner.call("POST", run.at("/input"), body)],
  },
  "W39 no append has an INPUT_RECEIVED or a type of chats, as JSON or as a line": {
    problem: [422, "invalid_event"],
    bad: () => ["INPUT_RECEIVED", "UI_MESSAGE", "UI_CHUNKS", "UI_PART"],
    calls: (type, { owner, run }) => [
      run.appendCall(["NOTE", type]),
      owner.call("POST", run.at("/events"), `{"eventType":"${type}"}\n`, LINES_TYPE),
    ],
  },
  "W44 a bad name is 400 and claims nothing": {
    bad: () => badTexts(100),
    calls: (worker, { owner, run }) => [
      owner.call("POST", run.at("/claim"), `{"leaseMs":${LONG_LEASE_MS},"worker":${worker}}`),
    ],
  },
};
