/**
 * Whether a browser sent the request for a page of another origin that is not on the list. `same-site` and another port
 * are other origins. A request without `Sec-Fetch-Site` and `Origin` does not come from a browser, so it is not foreign.
 * @param header returns a header of the request by its lower-case name
 * @param allowedOrigins exact origins, such as `https://app.example`
 * @see clauses W5 and W19 in `WIRE.md` of `@tm/run-events-http`
 */
export function isForeignOrigin(
  header: (name: string) => string | null,
  allowedOrigins: readonly string[],
): boolean {
  const origin = header("origin");
  if (origin !== null && allowedOrigins.includes(origin)) return false;
  const site = header("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return true;
  // `same-origin` comes from the browser itself, even if a proxy has changed `Host`. `none` means a request that no page has
  // made, so it has no `Origin`. If both headers come, the origin is checked.
  if (site === "same-origin" || origin === null) return false;
  const host = hostOf(origin);
  return host === null || host !== header("host");
}

/** The host and port in the form of a `Host` header; `null` for an opaque origin, which is not any server's. */
function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
