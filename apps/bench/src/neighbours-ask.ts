import { once } from "node:events";
import { type Agent, type IncomingMessage, request } from "node:http";

/** One request with a body of JSON, or none. */
export interface Ask {
  readonly port: number;
  readonly agent: Agent;
  readonly owner: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: Uint8Array;
}

/** Asks and reads the answer to its end. @returns its status; 0 if the connection was cut */
export async function ask({ port, agent, owner, method, path, body }: Ask): Promise<number> {
  const headers = {
    authorization: `Bearer ${owner}`,
    ...(body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": body.length }),
  };
  const outgoing = request({ host: "127.0.0.1", port, agent, method, path, headers });
  outgoing.end(body);
  try {
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    outgoing.on("error", ignore);
    response.resume();
    await once(response, "end");
    return response.statusCode ?? 0;
  } catch {
    return 0;
  }
}

function ignore(): void {}
