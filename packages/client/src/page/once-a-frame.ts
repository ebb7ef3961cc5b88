/** The time between two calls of a listener, in milliseconds. So a replay of thousands of events makes only a few dozen views. */
const FRAME_MS = 16;

/** Makes a function that calls the listener soon, however often it is called until then. */
export function onceAFrame(listener: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      listener();
    }, FRAME_MS);
  };
}
