import fc from "fast-check";
import { expect, it } from "vitest";
import { createRouter, type Found } from "../src/routes/router.ts";
import { ROUTES } from "../src/routes/table.ts";

const find = createRouter(ROUTES);
const PART = /\{\w+\}/;
const templates = [...new Set(ROUTES.map(({ path }) => path))];

it("every path of the list leads to its routes, in their order, with the id or the code that is in it", () => {
  const anyId = fc.string({ minLength: 1, unit: "grapheme" });
  fc.assert(
    fc.property(fc.constantFrom(...templates), anyId, (template, id) => {
      const found = find(template.replace(PART, encodeURIComponent(id))) as Found;
      expect([...found.methods.values()]).toEqual(ROUTES.filter(({ path }) => path === template));
      expect(found.runId).toBe(template.includes("{runId}") ? id : null);
      expect(found.code).toBe(template.includes("{code}") ? id : null);
    }),
  );
});

it("a path with one segment more, fewer or empty leads nowhere", () => {
  const known = new Set(templates);
  for (const template of templates) {
    const path = template.replace(PART, "r");
    const shorter = template.slice(0, template.lastIndexOf("/"));
    const isAbove = ["runId", "code"].some((part) => known.has(`${template}/{${part}}`));
    expect(find(`${path}/x`) === null).toBe(!isAbove);
    if (!known.has(shorter)) expect(find(shorter.replace(PART, "r"))).toBeNull();
    if (path !== template) expect(find(template.replace(PART, ""))).toBeNull();
    expect(find(`${path}/`)).toBeNull();
  }
});
