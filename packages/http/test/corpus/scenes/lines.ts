import { type Ask, ask, completed, note, run, type Scene, type User } from "../scene.ts";

const NDJSON = { "content-type": "application/x-ndjson" };

function upload(
  body: string | readonly string[],
  headers: Ask["headers"] = {},
  path = run("live", "/events"),
  user: User = "ada",
): { readonly ask: Ask } {
  const text = JSON.stringify(body);
  return ask(
    "POST",
    path,
    {
      headers: { ...NDJSON, ...headers },
      body,
      name: `${user}: lines to ${path} ${text.length > 120 ? `${text.slice(0, 60)}… of ${text.length}` : text}`,
    },
    user,
  );
}

const A = '{"eventType":"A"}';
const B = '{"eventType":"B","payload":{"n":1e2}}';
const END = '{"eventType":"RUN_COMPLETED"}';

export const LINE_SCENES: readonly Scene[] = [
  {
    name: "uploads of lines",
    runs: { live: [note()], bobs: [], ended: [completed] },
    steps: [
      upload(""),
      upload("\n\n \t\r\n"),
      upload(`${A}\n`),
      upload(A),
      upload(`${A}\r\n  ${B}  \n\n${A}`),
      upload([A.slice(0, 5), A.slice(5), "\n", B]),
      upload([`${A}\n${B}\n`, `${A}\n`]),
      upload(`${A}\nno\n${B}\n`),
      upload(`${A}\n[1]\n`),
      upload(`${A}\n\n{"eventType":"b"}\n`),
      upload(`{"eventType":"A","other":1}\n`),
      upload(`\ufeff${A}\n`),
      upload(`${A}\n{"eventType":"NOTE","payload":"${"x".repeat(262_143)}"}\n`),
      upload(`${A}\n`.repeat(1_200)),
      upload(`${A}\n${"x".repeat(4_194_305)}\n`),
      upload(A, { "idempotency-key": "k" }),
      upload(A, { "content-encoding": "gzip" }),
      upload(A, { "content-type": "Application/X-NDJSON; charset=utf-8" }),
      upload(A, { "run-fence": "1" }),
      upload(`${A}\n${B}`, { "run-fence": "x" }),
      upload(A, {}, run("none", "/events")),
      upload(A, {}, run("bobs", "/events")),
      upload(A, {}, run("ended", "/events")),
      upload(A, {}, run("live", "/events"), "anonymous"),
      upload(A, {}, run("live", "/events"), "session"),
      upload(`${A}\n${END}\n${A}\n`),
      ask("GET", run("live", "/events?limit=20")),
    ],
  },
];
