import { once } from "node:events";
import { connect } from "node:net";

/** A request with a bearer token. */
export function call(
  url: string,
  token: string,
  method = "GET",
  body?: unknown,
): Promise<Response> {
  return fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Signs in. @returns the whole `Set-Cookie`, and the pair of it that a browser sends back */
export async function signIn(
  url: string,
  token: string,
): Promise<{ readonly setCookie: string; readonly cookie: string }> {
  const { headers } = await call(`${url}/v1/session`, token, "POST");
  const setCookie = headers.get("set-cookie") ?? "";
  return { setCookie, cookie: setCookie.split(";", 1)[0] ?? "" };
}

/** A frame of the live stream. */
interface Frame {
  readonly type: string;
  readonly code?: string;
}

/** A live stream that is open. */
export interface LiveStream {
  /** All that the stream has sent, once it has ended or was cut. */
  readonly frames: Promise<readonly Frame[]>;
}

/** Opens a live stream with a session's cookie. */
export async function openStream(url: string, runId: string, cookie: string): Promise<LiveStream> {
  const response = await fetch(`${url}/v1/agent-runs/${runId}/stream`, { headers: { cookie } });
  return { frames: readFrames(response) };
}

async function readFrames({ body }: Response): Promise<readonly Frame[]> {
  let text = "";
  try {
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) text += chunk;
  } catch {
    // The connection was cut: what came before it is there, and has no last frame.
  }
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, json = ""]) => JSON.parse(json) as Frame);
}

/** Sends these bytes on a new connection. @returns all that comes back until it is closed. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
  socket.write(bytes);
  await once(socket, "close");
  return answer;
}
