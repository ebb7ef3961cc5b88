import { getIronSession, webCookies } from "iron-session";

const { SESSION_SECRET: password = "change me, 32 characters at least" } = process.env;
const users = new Map([["a-token-of-ada", "ada"]]).set("a-token-of-bob", "bob");
const tokenOf = ({ headers }) => /^bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
export const userOfToken = (request) => users.get(tokenOf(request));
export const openSession = (request, headers = new Headers()) =>
  getIronSession(webCookies(request, headers), { cookieName: "session", password });
// Called again while a stream is open: a sealed cookie is valid until it expires, even after a sign-out.
export async function authenticate(request, wanted) {
  const token = tokenOf(request);
  const { userId } = wanted === "session" || !token ? await openSession(request) : {};
  if (userId) return { userId, credential: "session" };
  return users.has(token) ? { userId: users.get(token), credential: "bearer" } : null;
}
