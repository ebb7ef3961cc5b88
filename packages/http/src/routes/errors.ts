import { RunEventsError } from "@tm/run-events-core";
import { describeValue } from "@tm/run-events-core/wire";
import { isErrorCode } from "../exchange/error-codes.ts";
import { publicText } from "../exchange/exchange.ts";
import { ERRORS_PATH } from "../exchange/problem.ts";
import { plain } from "../contract/operation.ts";
import { explainCode, listCodes } from "./explain-code.ts";
import type { Route } from "./route.ts";

/** The pages that explain the error codes: each problem's `type` is the path of one. @see clause W3 in `WIRE.md` */
export const ERROR_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: ERRORS_PATH,
    access: "open",
    tag: "description",
    id: "listErrors",
    summary: "Every error code, with its title (W3)",
    answers: { 200: plain("One line a code.") },
    answer: async () => publicText(listCodes()),
  },
  {
    method: "GET",
    path: `${ERRORS_PATH}/{code}`,
    access: "open",
    tag: "description",
    id: "explainError",
    summary: "What an error code means: cause, cure, example (W3)",
    description: "The `type` of a problem is the path of its code.",
    answers: { 200: plain("Text for people. It may change.") },
    codes: ["not_found", "invalid_request"],
    async answer({ code }) {
      if (isErrorCode(code)) return publicText(explainCode(code));
      throw new RunEventsError(
        "not_found",
        `Expected one of the codes that GET ${ERRORS_PATH} lists, got ${describeValue(code)}.`,
      );
    },
  },
];
