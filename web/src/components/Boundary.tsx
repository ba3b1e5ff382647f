import { Component, type ReactNode } from "react";

import { Failure } from "./Failure";

interface State {
  error?: unknown;
}

/** Shows what broke in place of what broke; the rest of the page goes on. */
export class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = {};

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return <Failure error={this.state.error} onRetry={() => this.setState({ error: undefined })} />;
  }
}
