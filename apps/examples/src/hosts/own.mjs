// Yours, for all servers of this folder: who may sign in, and how. Needs nothing of Node.
export const allowedOrigins = ["https://app.example"]; // other origins whose pages may use the session
const users = new Map([["a-token-of-ada", "ada"]]).set("a-token-of-bob", "bob");
const sessions = new Map(); // their users
const userOfToken = ({ authorization = "" }) =>
  users.get(/^bearer +(\S+)$/i.exec(authorization)?.[1]);
const sessionOf = ({ cookie = "" }) => /\bsession=([\w-]+)/.exec(cookie)?.[1];

/**
 * Finds the user of a request. Called again while a stream is open, which ends when its user has signed out.
 * @param headers those of node:http, or `Object.fromEntries(request.headers)`
 */
export function identify(headers, wanted) {
  const byToken = userOfToken(headers);
  const bySession = wanted === "session" || !byToken ? sessions.get(sessionOf(headers)) : undefined;
  if (bySession) return { userId: bySession, credential: "session" };
  return byToken ? { userId: byToken, credential: "bearer" } : null;
}

/** Opens a session for a token, always a new one. Returns the answer's headers; `null` if the token is not valid. */
export function signIn(headers) {
  const userId = userOfToken(headers);
  if (!userId) return null;
  const id = crypto.randomUUID();
  sessions.set(id, userId);
  return { "set-cookie": `session=${id}; HttpOnly; SameSite=Lax; Path=/` };
}

/** The app's own paths, for servers that speak `Request` and `Response`. */
export async function answerOwn(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/echo") return Response.json(await request.json());
  if (pathname !== "/session") return new Response("Not found", { status: 404 });
  const headers = signIn(Object.fromEntries(request.headers));
  return new Response(null, { status: headers ? 204 : 401, headers: headers ?? {} });
}
