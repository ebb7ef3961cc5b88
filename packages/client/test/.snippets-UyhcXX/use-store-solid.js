import { createComputed, createSignal, onCleanup } from "solid-js";

export function useStore(create) {
  const [view, setView] = createSignal();
  createComputed(() => {
    const { subscribe, getSnapshot } = create();
    setView(getSnapshot());
    onCleanup(subscribe(() => setView(getSnapshot())));
  });
  return view;
}
