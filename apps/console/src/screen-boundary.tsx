import { Component, type ReactNode } from "react";
import { encodeRoute } from "./hash-route.ts";

/** The screen inside the boundary. Use another `key` for another screen. */
export interface ScreenBoundaryProps {
  readonly children: ReactNode;
}

/** Shows an error in place of a screen that cannot be drawn, and keeps the rest of the page. */
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
          The console cannot show this run. The server still has all of its events.
        </p>
        <button type="button" onClick={() => this.setState({ hasFailed: false })}>
          Try again
        </button>
        <a href={encodeRoute(null)}>Back to the runs</a>
      </main>
    );
  }
}
