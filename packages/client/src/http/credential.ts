/**
 * Who asks. `"session"`: the cookie that the browser has. `bearer`: a token, which cannot open a live stream. `cookie`: the
 * value of a `Cookie` header, for hosts that have no cookies of their own. A function is asked before each request.
 * @see W4, W19
 */
export type Credential =
  | "session"
  | { readonly bearer: string | (() => string | Promise<string>) }
  | { readonly cookie: string | (() => string | Promise<string>) };

/** Whether it opens a live stream. @see W19 */
export function canStream(credential: Credential): boolean {
  return credential === "session" || "cookie" in credential;
}

/** What a request carries for it. */
export async function authorise(credential: Credential): Promise<{
  readonly headers?: Readonly<Record<string, string>>;
  readonly credentials: "include" | "omit";
}> {
  if (credential === "session") return { credentials: "include" };
  const isBearer = "bearer" in credential;
  const value = isBearer ? credential.bearer : credential.cookie;
  const text = typeof value === "string" ? value : await value();
  return {
    credentials: "omit",
    headers: isBearer ? { authorization: `Bearer ${text}` } : { cookie: text },
  };
}

/**
 * Checks that a request can carry the credential.
 * @throws TypeError with what to pass; it never shows a token
 */
export function checkCredential(credential: unknown): void {
  if (credential === "session") return;
  if (typeof credential === "object" && credential !== null) {
    const { bearer, cookie }: { bearer?: unknown; cookie?: unknown } = credential;
    const value = bearer ?? cookie;
    if (typeof value === "function" || (typeof value === "string" && value !== "")) return;
  }
  throw new TypeError(
    'Expected `credential` to be "session", { bearer } or { cookie }. Is the token missing?',
  );
}
