import { shallowRef, watch } from "vue";

export function useStore(create) {
  const view = shallowRef();
  const follow = ({ subscribe, getSnapshot }, _, onCleanup) => {
    view.value = getSnapshot();
    onCleanup(subscribe(() => (view.value = getSnapshot())));
  };
  watch(create, follow, { immediate: true });
  return view;
}
