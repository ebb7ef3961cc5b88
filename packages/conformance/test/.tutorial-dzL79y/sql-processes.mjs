import { runProcessConformance } from "@tm/run-events-conformance/processes";
import { newPlace } from "./place.mjs";

const cases = runProcessConformance({
  name: "sql",
  profile: "quick",
  module: new URL("place.mjs", import.meta.url),
  prepare: newPlace,
  workers: 2,
  network: {
    server(place) {
      const { hostname, port } = new URL(place);
      return { host: hostname, port: Number(port) };
    },
    through: (place, { host, port }) =>
      Object.assign(new URL(place), { hostname: host, port: String(port) }).href,
  },
});

for (const { run } of cases) {
  try {
    await run();
  } catch (error) {
    console.log(error.message);
    process.exit(1);
  }
}
console.log("Every clause is kept by many processes.");
