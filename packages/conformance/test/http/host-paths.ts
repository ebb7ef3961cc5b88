/** The paths of a host: what the reference server has besides its runs. `null` for any other. @see clause W30 in `WIRE.md` */
export function answerHostPath({ method, url }: Request): Response | null {
  if (method !== "GET") return null;
  switch (new URL(url).pathname) {
    case "/healthz":
    case "/readyz":
      return answer("ok\n", "text/plain");
    case "/metrics":
      return answer("requests_total 1\n", "text/plain; version=0.0.4");
    case "/":
      return answer("<!doctype html>\n<title>Runs</title>\n", "text/html; charset=utf-8");
    default:
      return null;
  }
}

function answer(body: string, type: string): Response {
  return new Response(body, { headers: { "content-type": type } });
}
