import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { headerOf } from "./header-of.ts";
import type { Answer, HostReply, OwnRoutes } from "./routes.ts";

/** What the page may do: load the files beside it, and talk to this server. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * The console's paths: the page at `/`, and below `/assets/` what it is made of. All of it is read here, once.
 * @param folder as `vite build` leaves it
 * @throws the system's error if the folder is not whole
 * @see W30
 */
export function readConsoleRoutes(folder: string): OwnRoutes {
  const page = answerFile(join(folder, "index.html"), {
    // The names of what it loads change with what is in them.
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
  });
  const assets = readdirSync(join(folder, "assets")).map((name) => {
    const answer = answerFile(join(folder, "assets", name), {
      "cache-control": "public, max-age=31536000, immutable",
    });
    return [`/assets/${name}`, { GET: answer }] as const;
  });
  return new Map([["/", { GET: page }], ...assets]);
}

function answerFile(path: string, headers: HostReply["headers"]): Answer {
  const bytes = readFileSync(path);
  const packed = gzipSync(bytes, { level: 9 });
  const plain: HostReply = {
    status: 200,
    headers: {
      "content-type": CONTENT_TYPES[extname(path)] ?? "application/octet-stream",
      "x-content-type-options": "nosniff",
      vary: "Accept-Encoding",
      ...headers,
    },
    body: bytes,
  };
  const gzipped = {
    ...plain,
    headers: { ...plain.headers, "content-encoding": "gzip" },
    body: packed,
  };
  return (request) => (takesGzip(headerOf(request, "accept-encoding")) ? gzipped : plain);
}

/** Whether a client takes gzip, by its `Accept-Encoding`. */
function takesGzip(accepted: string | null): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(accepted ?? "");
}
