import { Component, type ReactNode } from "react";
import { encodeRoute } from "./hash-route.ts";

/** What the boundary shows. Use another `key` for another screen. */
export interface ScreenBoundaryProps {
  readonly children: ReactNode;
}

/** Keeps the rest of the page where a screen cannot be drawn, and says so in its place. */
export class ScreenBoundary extends Component<
  ScreenBoundaryProps,
  { readonly hasFailed: boolean }
> {
  static getDerivedStateFromError(): { readonly hasFailed: boolean } {
    return { hasFailed: true };
  }

  override state: { readonly hasFailed: boolean } = { hasFailed: false };

  override render(): ReactNode {
    const { children } = this.props;
    const { hasFailed } = this.state;
    if (!hasFailed) return children;
    return (
      <main className="none">
        <p className="problem" role="alert">
          The console cannot show this run: drawing it failed. Its events are all on the server.
        </p>
        <button type="button" onClick={() => this.setState({ hasFailed: false })}>
          Try again
        </button>
        <a href={encodeRoute(null)}>Back to the runs</a>
      </main>
    );
  }
}
