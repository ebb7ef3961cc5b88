import { Validator } from "@seriousme/openapi-schema-validator";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { requests } from "@tm/run-events-core/wire";
import { openApiDocument } from "../src/index.ts";
import { isProblemCode, PROBLEM_CODES, statusOf } from "../src/exchange/error-codes.ts";
import { ROUTES } from "../src/routes/table.ts";
import { DOORS, openWorld } from "./harness/world.ts";

type Operation = Readonly<Record<string, unknown>> & {
  readonly tags: readonly string[];
  readonly operationId: string;
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly content?: Readonly<
          Record<
            string,
            {
              readonly schema: {
                readonly properties?: { readonly code?: { readonly enum: readonly string[] } };
              };
            }
          >
        >;
      }
    >
  >;
};

const document = openApiDocument() as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

const METHODS = ["get", "post", "delete", "put", "patch", "head", "options", "trace"];

function operations(): readonly (readonly [string, string, Operation])[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => [path, method.toUpperCase(), operation] as const),
  );
}

/** The codes in an operation's answers, with their statuses. */
function codesOf({ responses }: Operation): readonly (readonly [string, number])[] {
  return Object.entries(responses).flatMap(([status, response]) => {
    const codes =
      response.content?.["application/problem+json"]?.schema.properties?.code?.enum ?? [];
    return codes.map((code) => [code, Number(status)] as const);
  });
}

it("W30: the document is valid OpenAPI 3.1, every reference in it included", async () => {
  const validator = new Validator();
  const result = await validator.validate(openApiDocument() as Record<string, unknown>);
  expect(result).toMatchObject({ valid: true });
  expect(validator.version).toBe("3.1");
  expect(JSON.stringify(validator.resolveRefs())).not.toContain("$ref");
});

it("W30: the document has each route with its methods and nothing else", () => {
  const served = ROUTES.map(({ method, path }) => `${method} ${path}`);
  const described = operations().map(([path, method]) => `${method} ${path}`);
  expect(described.toSorted()).toEqual(served.toSorted());
});

it("W3, W30: every error code is described, each under its own status", () => {
  const described = operations().flatMap(([, , operation]) => codesOf(operation));
  for (const [code, status] of described)
    expect([code, status]).toEqual([code, isProblemCode(code) ? statusOf(code) : null]);
  expect([...new Set(described.map(([code]) => code))].toSorted()).toEqual(
    PROBLEM_CODES.toSorted(),
  );
});

it("W29, W30: the session's cookie is described under both names, and either is accepted wherever one is", () => {
  const { components, security } = openApiDocument() as {
    readonly components: { readonly securitySchemes: Readonly<Record<string, object>> };
    readonly security: readonly object[];
  };
  const { securitySchemes } = components;
  expect(securitySchemes["session"]).toMatchObject({
    type: "apiKey",
    in: "cookie",
    name: "run_events_session",
  });
  expect(securitySchemes["secureSession"]).toMatchObject({
    type: "apiKey",
    in: "cookie",
    name: "__Host-run_events_session",
  });
  const asked = operations().map(
    ([, , operation]) => (operation["security"] ?? security) as readonly object[],
  );
  for (const alternatives of asked) {
    const names = alternatives.map((one) => Object.keys(one).join());
    expect(names.filter((name) => name !== "bearer")).toEqual(
      names.includes("session") ? ["session", "secureSession"] : [],
    );
  }
});

it("W30: operations have different ids, and paths describe their parameters", () => {
  const ids = operations().map(([, , { operationId }]) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [path, item] of Object.entries(document.paths)) {
    const { parameters } = item as unknown as { readonly parameters: readonly unknown[] };
    expect([path, parameters.length]).toEqual([path, path.includes("{") ? 1 : 0]);
  }
});

it("W34, W30: a list can be of a status, of live runs and of a topic, and the topic is any text that a run may have", () => {
  const parameters = document.paths["/v1/agent-runs"]?.["get"]?.["parameters"] as readonly {
    readonly name: string;
    readonly schema: { readonly pattern?: string; readonly anyOf?: readonly object[] };
  }[];
  expect(parameters.map(({ name }) => name)).toEqual([
    "status",
    "topic",
    "limit",
    "cursor",
    "feed",
    "have",
    "last",
    "wait",
  ]);
  const [status, topic] = parameters;
  expect(status?.schema.anyOf).toContainEqual({ const: "live" });
  const pattern = new RegExp(topic?.schema.pattern ?? "", "u");
  const character = fc.oneof(
    fc.constantFrom("\0", "\n", "\u0085", "\ud83c"),
    fc.string({ unit: "binary" }),
  );
  const text = fc
    .array(character, { maxLength: 210, size: "max" })
    .map((characters) => characters.join(""));
  fc.assert(
    fc.property(fc.oneof(text, fc.string({ unit: "grapheme", maxLength: 210 })), (given) => {
      expect(pattern.test(given)).toBe(requests.isTopic(given));
    }),
  );
});

it("W30: the document may be changed by its caller without effect on the next one", () => {
  const mine = openApiDocument() as { paths: Record<string, unknown> };
  delete mine.paths["/v1/agent-runs"];
  expect(openApiDocument()).toHaveProperty(["paths", "/v1/agent-runs"]);
});

describe.each(DOORS)("%s", (door) => {
  it("W30: GET /openapi.json is that document, for anyone", async () => {
    await using world = await openWorld(door);
    const answer = await world.send({ path: "/openapi.json" });
    expect([answer.status, answer.headers["content-type"]]).toEqual([
      200,
      "application/json; charset=utf-8",
    ]);
    expect(answer.json()).toEqual(openApiDocument());
  });
});
