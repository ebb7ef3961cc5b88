import { isText } from "./fits.ts";
import type { Call } from "./run-calls.ts";

const SESSION = "/v1/session";

/** @see clause W29 in `WIRE.md` */
export function sessionCall(): Call {
  return { path: SESSION, answer: { userId: isText } };
}

/** @see clause W29 in `WIRE.md` */
export function openSessionCall(token: string): Call {
  const headers = { authorization: `Bearer ${token}` };
  return { path: SESSION, method: "POST", headers };
}

/** @see clause W29 in `WIRE.md` */
export function closeSessionCall(): Call {
  return { path: SESSION, method: "DELETE" };
}
