/**
 * Who asks. A function is called before each request.
 *
 * - `"session"`: the session cookie that the browser has.
 * - `bearer`: a token. It cannot open a live stream, so runs are polled.
 * - `cookie`: the value of a `Cookie` header, for hosts that do not keep cookies themselves.
 * @see clauses W4 and W19 in `WIRE.md` of `@tm/run-events-http`
 */
export type Credential =
  | "session"
  | { readonly bearer: string | (() => string | Promise<string>) }
  | { readonly cookie: string | (() => string | Promise<string>) };

type Secret = Extract<Credential, { readonly bearer: unknown }>["bearer"];

/** Whether this credential can open a live stream. @see clause W19 in `WIRE.md` */
export function canStream(credential: Credential): boolean {
  return credential === "session" || "cookie" in credential;
}

/** The headers and the mode with which a request sends its credential. */
export interface Authorisation {
  readonly headers?: Readonly<Record<string, string>>;
  readonly credentials: "include" | "omit";
}

/**
 * Creates a function that makes each request's authorisation.
 * @throws TypeError if no request can send the credential. The message never shows a token
 */
export function createAuthorise(credential: Credential): () => Promise<Authorisation> {
  if (credential === "session") return async () => ({ credentials: "include" });
  const { bearer, cookie } = Object(credential) as { bearer?: Secret; cookie?: Secret };
  const secret = bearer ?? cookie;
  if (typeof secret !== "function" && (typeof secret !== "string" || secret === "")) {
    throw new TypeError(
      'Expected `credential` to be "session", { bearer } or { cookie }. Is the token missing?',
    );
  }
  return async () => {
    const text = typeof secret === "string" ? secret : await secret();
    const headers = secret === bearer ? { authorization: `Bearer ${text}` } : { cookie: text };
    return { credentials: "omit", headers };
  };
}
