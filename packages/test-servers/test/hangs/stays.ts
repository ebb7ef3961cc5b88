// Stays until it is killed. What it says arrives where the worker's output goes.
setInterval(() => {}, 60_000);
console.log("stays:", process.pid);
