import { it } from "vitest";

it("never gives its thread back", () => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
