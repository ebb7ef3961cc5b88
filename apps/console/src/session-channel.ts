/** Tabs of an origin have the same session, whichever of them began it or ended it. */
const channel = new BroadcastChannel("run-events session");

/** Tells the other tabs that the session is another one now. */
export function announceSession(): void {
  channel.postMessage(null);
}

/**
 * Loads the page anew when another tab has signed in or out: nothing of one user's runs is to stay where the next one looks, be it in
 * memory, which a run is kept in for a while, and which tabs share.
 */
export function reloadOnSessionChange(): void {
  channel.addEventListener("message", () => location.reload());
}
