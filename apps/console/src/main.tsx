import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { reloadOnSessionChange } from "./session-channel.ts";
import { applyTheme, readTheme } from "./theme.ts";
import "./style/base.css";
import "./style/board.css";
import "./style/run.css";
import "./style/timeline.css";

const root = document.getElementById("console");
if (root === null) throw new TypeError("Expected the page to have a place for the console");
applyTheme(readTheme());
reloadOnSessionChange();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
