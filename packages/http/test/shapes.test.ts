import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { SCHEMAS } from "../src/contract/schemas.ts";

const WIRE = readFileSync(new URL("../WIRE.md", import.meta.url), "utf8");

/** Names in their order, an optional one with a question mark after it. */
type Shape = readonly string[];

interface ObjectSchema {
  readonly type: "object";
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The objects that the text of a clause describes, in their order. */
const CLAUSES: readonly (readonly [clause: string, schemas: readonly string[]])[] = [
  ["W8", ["CreateRun"]],
  ["W9", ["AppendEvents", "EventDraft", "Receipt"]],
  ["W14", ["RunList"]],
  ["W39", ["Input"]],
  ["W31", ["ClaimRun", "Lease", "RenewLease", "ReleaseRun"]],
];

/** The shapes that the code has for the messages of a stream, by their types. */
function messagesOf(union: string): Readonly<Record<string, Shape>> {
  const { oneOf } = SCHEMAS[union] as {
    readonly oneOf: readonly (ObjectSchema & { title: string })[];
  };
  return Object.fromEntries(oneOf.map((schema) => [schema.title, shapeIn(schema).slice(1)]));
}

function isObject(schema: unknown): schema is ObjectSchema {
  return (schema as ObjectSchema | undefined)?.type === "object";
}

/** The shape that the code has for a name; `null` if it does not exist or is not an object. */
function shapeOf(name: string): Shape | null {
  const schema = SCHEMAS[name];
  return isObject(schema) ? shapeIn(schema) : null;
}

function shapeIn(schema: ObjectSchema): Shape {
  return Object.keys(schema.properties).map((property) =>
    schema.required.includes(property) ? property : `${property}?`,
  );
}

/** The members between braces or in a cell of a table. */
function membersOf(text: string): Shape {
  return text.split(",").map((member) => member.trim());
}

/** The lines below the heading "Shapes", each a name and its description. */
function readLines(): readonly (readonly [name: string, text: string])[] {
  const block = /\n## Shapes\n\n```\n([^`]*)```/.exec(WIRE)?.[1] ?? "";
  return Array.from(block.matchAll(/^(\S+) +(.*)$/gm), ([, name = "", text = ""]) => [name, text]);
}

/** Where a clause begins. */
function startOf(clause: string): number {
  return WIRE.indexOf(`**${clause}** `);
}

/** The objects between braces in a clause; one within another comes after it. */
function readObjects(clause: string): readonly Shape[] {
  const start = startOf(clause);
  const text = WIRE.slice(start, WIRE.indexOf("\n- ", start));
  return Array.from(text.matchAll(/`(\{[^`"]*\})`/g), ([, found = ""]) => found).flatMap(
    (found) => {
      const inner = /\[\{(.*)\}\]/.exec(found)?.[1];
      const outer = membersOf(found.slice(1, -1).replace(/: \[.*\]/, ""));
      return inner === undefined ? [outer] : [outer, membersOf(inner)];
    },
  );
}

/** The table of a clause's messages: each `type` with its fields. */
function readMessages(from: number, to: number): Readonly<Record<string, Shape>> {
  const [, ...rows] = WIRE.slice(from, to).matchAll(/^ *\| `(\w+)` +\|([^|]*)\|/gm);
  return Object.fromEntries(
    rows.map(([, type = "", fields = ""]) => [type, fields.trim() === "" ? [] : membersOf(fields)]),
  );
}

it("WIRE.md: the section Shapes has the names, the fields and the optional fields of the code", () => {
  const lines = readLines();
  expect(lines.map(([name]) => name)).toEqual([
    "RunStatus",
    "RunEvent",
    "RunSnapshot",
    "WholeList",
    "SameList",
    "Page",
  ]);
  for (const [name, text] of lines) {
    const members = /^\{ (.*) \}$/.exec(text)?.[1];
    const values = Array.from(text.matchAll(/"(\w+)"/g), ([, value = ""]) => value);
    if (members === undefined) expect([name, values]).toEqual([name, SCHEMAS[name]?.["enum"]]);
    else expect([name, membersOf(members)]).toEqual([name, shapeOf(name)]);
  }
});

it.each(CLAUSES)("%s: the clause describes the objects that the code has: %s", (clause, names) => {
  expect(readObjects(clause)).toEqual(names.map(shapeOf));
});

it("W22, W47, W48: the tables have each message with the fields that the code has", () => {
  expect(readMessages(startOf("W22"), startOf("W23"))).toEqual(messagesOf("StreamMessage"));
  expect({
    ...readMessages(startOf("W47"), startOf("W49")),
    ...readMessages(startOf("W48"), startOf("W31")),
  }).toEqual(messagesOf("RunsStreamMessage"));
});

it("W3, W12: a problem has the fields of its codes as optional ones, and no others", () => {
  const table = WIRE.slice(startOf("W3"), startOf("W4"));
  const extras = Array.from(table.matchAll(/\(\+ ([^)]*)\)/g), ([, names = ""]) => names)
    .flatMap((names) => Array.from(names.matchAll(/`(\w+)`/g), ([, name = ""]) => name))
    .concat("line");
  expect(WIRE).toMatch(/a problem that\s+names `line`/);
  const optional = (shapeOf("Problem") ?? []).filter((name) => name.endsWith("?"));
  expect(optional.toSorted()).toEqual([...new Set(extras)].map((name) => `${name}?`).toSorted());
});

it("WIRE.md describes each object of the code", () => {
  const described = [
    ...readLines().map(([name]) => name),
    ...CLAUSES.flatMap(([, names]) => names),
    "Problem",
  ];
  const objects = Object.keys(SCHEMAS).filter((name) => isObject(SCHEMAS[name]));
  expect(objects.filter((name) => !described.includes(name))).toEqual([]);
});
