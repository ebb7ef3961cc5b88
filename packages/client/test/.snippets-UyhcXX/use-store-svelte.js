import { createSubscriber } from "svelte/reactivity";

export function useStore(store) {
  const follow = createSubscriber(store.subscribe);
  return {
    get current() {
      follow();
      return store.getSnapshot();
    },
  };
}
