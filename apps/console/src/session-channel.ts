/** All tabs of an origin share one session. */
const channel = new BroadcastChannel("run-events session");

/** Sends a message to the other tabs when the session has changed. */
export function announceSession(): void {
  channel.postMessage(null);
}

/**
 * Reloads the page when another tab has signed in or out. A run stays in memory for a while, so without a reload the next user
 * could see runs of the last one.
 */
export function reloadOnSessionChange(): void {
  channel.addEventListener("message", () => location.reload());
}
