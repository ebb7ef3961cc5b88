// Uses every call under the fakes that jest installs, and prints the values that it read and how many faked timers remain.
import FakeTimers from "@sinonjs/fake-timers";
import { createMemoryStore } from "../src/store/memory.ts";
import { createAdasRuns } from "./adas-runs.ts";
import { useAll } from "./use-all.ts";

const clock = FakeTimers.install({
  toFake: [
    "Date",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "setImmediate",
    "clearImmediate",
    "performance",
    "hrtime",
    "nextTick",
    "queueMicrotask",
  ],
});
const seen = await useAll(createAdasRuns({ store: createMemoryStore() }));
const left = clock.countTimers();
clock.uninstall();
console.log(JSON.stringify({ seen, left }));
