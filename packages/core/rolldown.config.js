/** Files that a writer needs, with a claim or without one. */
const WRITE =
  /\/src\/(work\/(emit-queue|gathering-queue|merge-events|send-parts|work-options)|time\/(clock|link-signals|persist))\.ts$/;
/** Files that only work on a run needs. */
const WORK = /\/src\/work\/(?!run-access)[a-z-]+\.ts$/;

/**
 * The published files: one for each door, and those that they share. A bundler moves only whole files. So a page that works on a run
 * later can load `work.js` later.
 */
export default {
  input: ["src/index.ts", "src/index-store.ts", "src/index-wire.ts"],
  platform: "neutral",
  output: {
    dir: "dist",
    sourcemap: true,
    chunkFileNames: ({ name }) => (["write", "work"].includes(name) ? "[name].js" : "shared.js"),
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        { name: "write", test: WRITE, priority: 1 },
        { name: "work", test: WORK },
      ],
    },
  },
};
