/**
 * Who asks. `"session"`: the cookie that the browser has. `bearer`: a token, which cannot open a live stream. `cookie`: the
 * value of a `Cookie` header, for hosts that have no cookies of their own. A function is asked before each request.
 * @see W4, W19
 */
export type Credential =
  | "session"
  | { readonly bearer: string | (() => string | Promise<string>) }
  | { readonly cookie: string | (() => string | Promise<string>) };

type Secret = Extract<Credential, { readonly bearer: unknown }>["bearer"];

/** Whether it opens a live stream. @see W19 */
export function canStream(credential: Credential): boolean {
  return credential === "session" || "cookie" in credential;
}

/** What a request sends as its credential. */
export interface Authorisation {
  readonly headers?: Readonly<Record<string, string>>;
  readonly credentials: "include" | "omit";
}

/**
 * Makes each request's authorisation.
 * @throws TypeError for a credential that no request can send. The message says what to pass, and never shows a token
 */
export function createAuthorise(credential: Credential): () => Promise<Authorisation> {
  if (credential === "session") return async () => ({ credentials: "include" });
  const { bearer, cookie } = Object(credential) as { bearer?: Secret; cookie?: Secret };
  const given = bearer ?? cookie;
  if (typeof given !== "function" && (typeof given !== "string" || given === "")) {
    throw new TypeError(
      'Expected `credential` to be "session", { bearer } or { cookie }. Is the token missing?',
    );
  }
  return async () => {
    const text = typeof given === "string" ? given : await given();
    const headers = given === bearer ? { authorization: `Bearer ${text}` } : { cookie: text };
    return { credentials: "omit", headers };
  };
}
