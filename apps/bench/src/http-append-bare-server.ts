import { createServer, type IncomingMessage, type Server } from "node:http";

const HEADERS = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "private, no-store",
};

/** A body of an append. */
export interface BareAppend {
  readonly events: readonly { readonly eventType: string; readonly payload: unknown }[];
}

/**
 * The least that takes appends over HTTP: reads the body, parses it and answers as long as ours does. No routes, no
 * credentials, no limits, no checks.
 * @param answer gives the run's sequence after the append, when it has been made
 */
export function createBareAppendServer(
  append: (path: string, body: BareAppend, answer: (sequence: number) => void) => void,
): Server {
  return createServer((request, response) => {
    readText(request, (text) => {
      append(request.url ?? "", JSON.parse(text) as BareAppend, (sequence) => {
        const body = `{"firstSequence":${sequence},"lastSequence":${sequence},"runStatus":"running","currentPhase":null,"replayed":false}`;
        response.writeHead(201, { ...HEADERS, "content-length": body.length });
        response.end(body);
      });
    });
  });
}

function readText(request: IncomingMessage, use: (text: string) => void): void {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (piece: string) => {
    text += piece;
  });
  request.on("end", () => use(text));
}
