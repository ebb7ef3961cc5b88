import { expect, it, onTestFinished } from "vitest";
import { createClient } from "../client.ts";
import type { Edit } from "../edited-folder.ts";
import { startRecipe } from "../start-recipe.ts";
import type { Check, Host } from "./check.ts";
import { checksFor } from "./checks.ts";

/** A check that has not ended by then hangs. On a right host each takes a few seconds at most. */
const HANG_MS = 12_000;

const LISTENER = "async function answer(request, response) {\n";

/** Runs before each request. */
function first(code: string): Edit {
  return [LISTENER, `${LISTENER}${code}\n`];
}

const READ = "const parts = []; for await (const part of request) parts.push(part);";

/** Faults of a host, and the checks that must find them. */
const FAULTS: readonly (readonly [fault: string, edit: Edit, checks: readonly string[]])[] = [
  [
    "it holds answers back until they end",
    first(
      `const { end } = response; const held = [];
       response.flushHeaders = () => {};
       response.write = (part) => (held.push(Buffer.from(part)), true);
       response.end = (part) => end.call(response, Buffer.concat([...held, Buffer.from(part ?? "")]));
       if (request.url.includes("/stream")) Object.defineProperty(response, "socket", { value: null });`,
    ),
    ["SSE live", "SSE replay"],
  ],
  [
    "it says that streams are compressed",
    first(
      `const { writeHead } = response;
       response.writeHead = (status, headers) =>
         writeHead.call(response, status, { ...headers, "cache-control": "no-cache" });`,
    ),
    ["SSE not compressed"],
  ],
  [
    "it never learns that a client has left",
    first(
      `const { on } = response;
       response.on = (name, listener) => (name === "close" ? response : on.call(response, name, listener));`,
    ),
    ["SSE left", "held poll, left"],
  ],
  ["it does not drain", ["  await handler.drain(5_000);\n", ""], ["SIGTERM"]],
  [
    "it parses bodies, and writes them again",
    first(
      `if (request.headers["content-type"] === "application/json") {
         ${READ} request.rawBody = JSON.stringify(JSON.parse(Buffer.concat(parts).toString()));
       }`,
    ),
    ["tokens", "own JSON path"],
  ],
  [
    "it reads bodies before anything else",
    first(`${READ} request.rawBody = Buffer.concat(parts);`),
    ["NDJSON live"],
  ],
  [
    "it takes what has arrived of a broken body for the whole",
    first(
      `if (request.headers["content-type"] === "application/x-ndjson") {
         const parts = [];
         request.iterator = async function* () {
           try { for await (const part of request) yield part; } catch {}
         };
       }`,
    ),
    ["NDJSON broken off"],
  ],
  [
    "it drops bodies",
    first(`if (request.method === "POST") { request.headers["content-length"] = "0"; ${READ} }`),
    ["append", "create"],
  ],
  [
    "everyone is ada",
    [
      "({ headers }, wanted) => identify(headers, wanted)",
      '() => ({ userId: "ada", credential: "session" })',
    ],
    ["no credential", "SSE with a token"],
  ],
  [
    "pages of any origin may do anything",
    [
      "authenticate, allowedOrigins }",
      'authenticate, allowedOrigins: [...allowedOrigins, "https://evil.example", "null"] }',
    ],
    ["foreign page", "CORS preflight"],
  ],
  ["no origin is listed", ["authenticate, allowedOrigins }", "authenticate }"], ["CORS"]],
  [
    "it loses the query",
    first('request.url = request.url.split("?")[0];'),
    ["page", "list", "held poll"],
  ],
  ["it loses conditions", first('delete request.headers["if-none-match"];'), ["not modified"]],
  [
    "it has no routes for HEAD",
    first('if (request.method === "HEAD") return response.writeHead(404).end();'),
    ["HEAD"],
  ],
  [
    "it mends paths",
    first('request.url = request.url.replace(/%(zz|ff)/, "r");'),
    ["broken escape"],
  ],
  [
    "it says gzip, and does not compress",
    first(
      'if (request.headers["accept-encoding"] === "gzip") response.setHeader("content-encoding", "gzip");',
    ),
    ["gzip"],
  ],
  [
    "it takes a cancel for a read",
    first(
      'if (request.url.endsWith("/cancel")) { request.method = "GET"; request.url = request.url.slice(0, -7); }',
    ),
    ["cancel"],
  ],
];

/** Whether a check holds on a host. One that hangs does not. */
async function holds(check: Check, host: Host): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const hang = setTimeout(() => resolve(false), HANG_MS);
  void check.run(host).then(
    () => resolve(true),
    () => resolve(false),
  );
  const result = await promise;
  clearTimeout(hang);
  return result;
}

it.each(FAULTS)(
  "the probe finds a host where %s",
  { timeout: 120_000 },
  async (_fault, edit, ids) => {
    const process = await startRecipe("hosts/node-http.mjs", [edit]);
    onTestFinished(async () => void (await process.end("SIGKILL")));
    const host = { process, ...createClient(() => process.url) };
    const found: string[] = [];
    for (const check of checksFor(0))
      if (ids.includes(check.id) && !(await holds(check, host))) found.push(check.id);
    expect(found.toSorted()).toEqual(ids.toSorted());
  },
);

it("each check of the probe finds one of these faults", () => {
  const found = new Set(FAULTS.flatMap(([, , ids]) => ids));
  expect(checksFor(0).filter(({ id }) => !found.has(id))).toEqual([]);
});
