import { type ReactNode, useState } from "react";
import { applyTheme, nextTheme, readTheme, type Theme } from "./theme.ts";

const THEME_WORDS: Readonly<Record<Theme, string>> = {
  system: "auto",
  light: "light",
  dark: "dark",
};

/** The user, and the buttons for the whole page. */
export function TopBar({
  userId,
  onKeys,
  onSignOut,
}: {
  readonly userId: string;
  readonly onKeys: () => void;
  readonly onSignOut: () => void;
}): ReactNode {
  const [theme, setTheme] = useState(readTheme);

  function turnTheme(): void {
    const next = nextTheme(theme);
    applyTheme(next);
    setTheme(next);
  }

  return (
    <header className="top-bar">
      <h1>
        <span className="mark" aria-hidden="true" />
        run-events
      </h1>
      <span className="user soft">{userId}</span>
      <button type="button" aria-keyshortcuts="?" onClick={onKeys}>
        Keys
      </button>
      <button type="button" onClick={turnTheme}>
        Theme: {THEME_WORDS[theme]}
      </button>
      <button type="button" onClick={onSignOut}>
        Sign out
      </button>
    </header>
  );
}
