import * as stable from "@opentelemetry/semantic-conventions";
import * as incubating from "@opentelemetry/semantic-conventions/incubating";
import { expect, it } from "vitest";
import * as names from "../src/names.ts";

it("the names of OpenTelemetry are those of its conventions", () => {
  expect({ ...names.SYSTEM }).toStrictEqual({
    [incubating.ATTR_MESSAGING_SYSTEM_NAME]: "run_events",
  });
  expect(names).toMatchObject({
    OPERATION_TYPE: incubating.ATTR_MESSAGING_OPERATION_TYPE,
    OPERATION_NAME: incubating.ATTR_MESSAGING_OPERATION_NAME,
    MESSAGE_COUNT: incubating.ATTR_MESSAGING_BATCH_MESSAGE_COUNT,
    ERROR_TYPE: stable.ATTR_ERROR_TYPE,
    ROUTE: stable.ATTR_HTTP_ROUTE,
    METHOD: stable.ATTR_HTTP_REQUEST_METHOD,
    STATUS_CODE: stable.ATTR_HTTP_RESPONSE_STATUS_CODE,
  });
});

it("all other names begin with run_events, and none is of an agent's or a model's calls", () => {
  const own = Object.values(names).filter((name) => typeof name === "string");
  const foreign = own.filter((name) => !/^(run_events|messaging|http|error)\./.test(name));
  expect(foreign).toStrictEqual([]);
});
