/** The colours of the page: the system's, or those that the user chose. */
export type Theme = "system" | "light" | "dark";

const KEY = "run-events theme";

/** Reads the theme that was chosen in this browser. */
export function readTheme(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

/** Applies a theme, and keeps it for the next visit. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, theme);
  document.documentElement.dataset["theme"] = theme;
}

/** The theme after this one, when a button is pressed. */
export function nextTheme(theme: Theme): Theme {
  return theme === "system" ? "light" : theme === "light" ? "dark" : "system";
}
