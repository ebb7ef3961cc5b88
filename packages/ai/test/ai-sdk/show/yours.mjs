export { model } from "./model.mjs";
export { store } from "./store.mjs";

/** The user of a request, by its session; `null` without one. */
export const userOf = (request) =>
  request.headers.get("cookie")?.includes("session=ada") ? "ada" : null;
