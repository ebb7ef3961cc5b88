import { readJson } from "./body.ts";
import type { Call } from "./route.ts";

/** Reads a request's JSON body within its bounds, as `readJson` says. */
export function readBody({
  service,
  exchange,
  holding,
  takeTurn,
}: Call): ReturnType<typeof readJson> {
  return readJson(exchange, { maxBytes: service.maxBodyBytes, holding, takeTurn });
}
