import { RunEventsError } from "@tm/run-events-core";
import { describeValue } from "@tm/run-events-core/wire";
import { ALL_CODES } from "../exchange/error-codes.ts";
import { publicText } from "../exchange/exchange.ts";
import { ERRORS_PATH } from "../exchange/problem.ts";
import { plain } from "../openapi/operation.ts";
import { explainCode, listCodes } from "./explain-code.ts";
import type { Route } from "./route.ts";
import { sharedText } from "./shared-text.ts";

const listOfCodes = sharedText(listCodes);

const PAGES: ReadonlyMap<string, () => Uint8Array> = new Map(
  ALL_CODES.map((code) => [code, sharedText(() => explainCode(code))] as const),
);

/** The pages that explain the error codes: each problem's `type` is the path of one. @see clause W3 in `WIRE.md` */
export const ERROR_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: ERRORS_PATH,
    access: "open",
    changes: false,
    answer: async () => publicText(listOfCodes()),
    operation: {
      tag: "description",
      id: "listErrors",
      summary: "Every error code, with its title (W3)",
      answers: { 200: plain("One line a code.") },
    },
  },
  {
    method: "GET",
    path: `${ERRORS_PATH}/{code}`,
    access: "open",
    changes: false,
    async answer({ code }) {
      const page = PAGES.get(code);
      if (page !== undefined) return publicText(page());
      throw new RunEventsError(
        "not_found",
        `Expected one of the codes that GET ${ERRORS_PATH} lists, got ${describeValue(code)}.`,
      );
    },
    operation: {
      tag: "description",
      id: "explainError",
      summary: "What an error code means: cause, cure, example (W3)",
      description: "The `type` of a problem is the path of its code.",
      answers: { 200: plain("Text for people. It may change.") },
      codes: ["not_found", "invalid_request"],
    },
  },
];
