import fc from "fast-check";
import { expect, it } from "vitest";
import { createRouter, type Found } from "../src/routes/router.ts";
import { ROUTES } from "../src/routes/table.ts";

const find = createRouter(ROUTES);
const templates = [...new Set(ROUTES.map(({ path }) => path))];

it("every path of the list leads to its routes, in their order, with the id that is in it", () => {
  const anyId = fc.string({ minLength: 1, unit: "grapheme" });
  fc.assert(
    fc.property(fc.constantFrom(...templates), anyId, (template, id) => {
      const found = find(template.replace("{runId}", encodeURIComponent(id))) as Found;
      expect([...found.methods.values()]).toEqual(ROUTES.filter(({ path }) => path === template));
      expect(found.runId).toBe(template.includes("{runId}") ? id : null);
    }),
  );
});

it("a path with one segment more, fewer or empty leads nowhere", () => {
  const known = new Set(templates);
  for (const template of templates) {
    const path = template.replace("{runId}", "r");
    const shorter = template.slice(0, template.lastIndexOf("/"));
    const isAboveRuns = known.has(`${template}/{runId}`);
    expect(find(`${path}/x`) === null).toBe(!isAboveRuns);
    if (!known.has(shorter)) expect(find(shorter.replace("{runId}", "r"))).toBeNull();
    if (path !== template) expect(find(template.replace("{runId}", ""))).toBeNull();
    expect(find(`${path}/`)).toBeNull();
  }
});
