import { RunEventsError } from "@tm/run-events-core";
import { describeValue } from "@tm/run-events-core/wire";
import { ERROR_CODES, isProblemCode } from "../exchange/error-codes.ts";
import { ERRORS_PATH } from "../exchange/problem.ts";
import { plain } from "../contract/operation.ts";
import type { Route } from "./route.ts";

/** The address of a problem: its `type` is the path of its code. It is the same for everyone. @see clause W3 in `WIRE.md` */
export const ERROR_ROUTE: Route = {
  method: "GET",
  path: `${ERRORS_PATH}/{code}`,
  access: "open",
  tag: "description",
  id: "nameError",
  summary: "The title and the status of an error code (W3)",
  description: "The `type` of a problem is the path of its code.",
  answers: { 200: plain("Text for people. It may change.") },
  codes: ["not_found", "invalid_request"],
  async answer({ code }) {
    if (!isProblemCode(code)) {
      throw new RunEventsError(
        "not_found",
        `Expected the code of an error, got ${describeValue(code)}.`,
      );
    }
    const { status, title } = ERROR_CODES[code];
    return {
      status: 200,
      headers: {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "public, max-age=3600",
      },
      body: `${title}\n\nCode: ${code}\nStatus: ${status}\n`,
    };
  },
};
