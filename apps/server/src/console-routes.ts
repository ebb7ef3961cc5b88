import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Reply } from "@tm/run-events-http";
import { headerOf } from "@tm/run-events-http/node";
import type { Methods, OwnRoutes } from "./routes.ts";

/** The page may load its files from this server, and send requests to it, nothing else. */
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

/** A file that the page loads. */
const ASSET = /"(\/assets\/[^"]+)"/g;

/**
 * Makes the console's paths: the page at `/`, and its files below `/assets/`. All files are read here, once.
 * @param folder the folder of the built console
 * @throws the system's error if a file is missing
 * @see clause W30 in `WIRE.md`
 */
export function readConsoleRoutes(folder: string): OwnRoutes {
  const html = readFileSync(join(folder, "index.html"));
  const page = answerBytes(html, ".html", {
    // The names of its files change with their content.
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
  });
  // The folder may also have files of earlier builds.
  const assets = [...html.toString().matchAll(ASSET)].map(([, path = ""]) => {
    const answer = answerBytes(readFileSync(join(folder, path)), extname(path), {
      "cache-control": "public, max-age=31536000, immutable",
    });
    return [path, { GET: answer }] as const;
  });
  return new Map([["/", { GET: page }], ...assets]);
}

function answerBytes(bytes: Buffer, extension: string, headers: Reply["headers"]): Methods[string] {
  const packed = gzipSync(bytes, { level: 9 });
  const plain: Reply = {
    status: 200,
    headers: {
      "content-type": CONTENT_TYPES[extension] ?? "application/octet-stream",
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
