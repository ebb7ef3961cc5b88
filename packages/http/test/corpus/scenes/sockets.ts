import { ask, completed, note, run, RUNS, type Scene, type Step } from "../scene.ts";

function raw(name: string, method: string, text: string): Step {
  return { ask: { method, path: "", headers: {}, raw: text.replaceAll("\n", "\r\n"), name } };
}

const ADA = "Host: 127.0.0.1\nAuthorization: Bearer ada\n";
const SESSION = "Host: 127.0.0.1\nCookie: session=ada\n";
const BODY = '{"events":[{"eventType":"NOTE"}]}';

/** What only a socket can send. */
export const SOCKET_SCENES: readonly Scene[] = [
  {
    name: "sockets",
    door: "node:http",
    runs: { live: [note()], ended: [note(), completed] },
    steps: [
      raw("absolute form", "GET", `GET http://elsewhere.example${RUNS}?limit=1 HTTP/1.1\n${ADA}\n`),
      raw("HTTP/1.0", "GET", `GET ${RUNS} HTTP/1.0\n${ADA}\n`),
      raw("HTTP/1.0, kept alive", "GET", `GET ${RUNS} HTTP/1.0\nConnection: keep-alive\n${ADA}\n`),
      raw("a stream over HTTP/1.0", "GET", `GET ${run("ended", "/stream")} HTTP/1.0\n${SESSION}\n`),
      raw("to be closed", "GET", `GET ${run("live")} HTTP/1.1\nConnection: close\n${ADA}\n`),
      raw(
        "a stream to be closed",
        "GET",
        `GET ${run("ended", "/stream")} HTTP/1.1\nConnection: close\n${SESSION}\n`,
      ),
      raw("GET with a body", "GET", `GET ${run("live")} HTTP/1.1\nContent-Length: 2\n${ADA}\n{}`),
      raw("TRACE", "TRACE", `TRACE ${run("live")} HTTP/1.1\n${ADA}\n`),
      raw("no target", "OPTIONS", `OPTIONS * HTTP/1.1\n${ADA}\n`),
      raw("a fragment", "GET", `GET ${RUNS}#x HTTP/1.1\n${ADA}\n`),
      raw(
        "Expect",
        "POST",
        `POST ${run("live", "/events")} HTTP/1.1\nExpect: 100-continue\nContent-Type: application/json\nContent-Length: ${BODY.length}\n${ADA}\n${BODY}`,
      ),
      raw(
        "a DELETE in chunks",
        "DELETE",
        `DELETE ${run("live", "/claim")} HTTP/1.1\nContent-Type: application/json\nTransfer-Encoding: chunked\n${ADA}\nb\n{"fence":1}\n0\n\n`,
      ),
      raw(
        "a body whose Content-Length is too long",
        "POST",
        `POST ${run("live", "/events")} HTTP/1.1\nContent-Type: application/json\nContent-Length: 4194305\n${ADA}\n{`,
      ),
      raw(
        "a long body without a credential",
        "POST",
        `POST ${run("live", "/events")} HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 70000\n\n{`,
      ),
      raw(
        "a short body without a credential",
        "POST",
        `POST ${run("live", "/events")} HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 7\n\n{`,
      ),
      raw(
        "repeated headers",
        "GET",
        `GET ${RUNS} HTTP/1.1\n${ADA}If-None-Match: a\nIf-None-Match: b\n\n`,
      ),
      ask("GET", run("live", "/events"), { headers: { range: "bytes=0-1" } }),
    ],
  },
];
