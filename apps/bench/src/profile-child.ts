import { writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";
import { profileNames } from "./profile.ts";

// Loaded before a child's own module (`--import`): it profiles from the parent's first call to the end. Calls of a session
// that is connected to its own process are answered at once, so that they still work while the process exits.
const folder = process.env["RUN_EVENTS_PROFILES"];
if (folder !== undefined) {
  process.once("message", (message) => {
    profileUntilExit(folder);
    if (process.listenerCount("message") === 0) callLater(message);
  });
}

/** Passes on the first call when the module listens: one that waits for a database first would miss it. */
function callLater(message: unknown): void {
  const onListener = (name: string | symbol): void => {
    if (name !== "message") return;
    process.off("newListener", onListener);
    setImmediate(() => process.emit("message", message, undefined));
  };
  process.on("newListener", onListener);
}

function profileUntilExit(folder: string): void {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.start");
  // Garbage costs as much as what is kept.
  session.post("HeapProfiler.startSampling", {
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  process.once("exit", () => {
    const names = profileNames(process.argv[1] ?? "process", process.argv[2] ?? "", process.pid);
    session.post("Profiler.stop", (_error, { profile }) =>
      writeFileSync(join(folder, names.cpu), JSON.stringify(profile)),
    );
    session.post("HeapProfiler.stopSampling", (_error, { profile }) =>
      writeFileSync(join(folder, names.heap), JSON.stringify(profile)),
    );
  });
}
