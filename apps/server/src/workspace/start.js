// Plain JavaScript: a Node that cannot run TypeScript fails at the first TypeScript file, with a message that does not mention
// Node.
if (process.features.typescript) {
  await import("./main.ts");
} else {
  process.stderr.write(
    `run-events-server: expected Node 22.18 or later, but this is Node ${process.versions.node}: run it with node_modules/.bin/node, which is installed with this workspace\n`,
  );
  process.exitCode = 1;
}
