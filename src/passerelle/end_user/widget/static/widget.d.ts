/** Types of Passerelle's widget. Copy this file into your project, or download it from `/widget.d.ts`. */

export interface PasserelleOptions {
  /** From your server, which gets it with `POST /token`. Opens one execution, once, within 60 minutes. */
  token?: string;
  /** In place instead of as a modal over the page. */
  inline?: boolean;
  /** Inline: the height follows the content. */
  autoHeight?: boolean;
  /** The language to begin with, such as `pl`; the execution's, else the browser's, without it. */
  locale?: string;
  /** It was opened: the modal is over the page, or the frame is in place. */
  onOpen?: (detail: Record<string, never>) => void;
  /** The end user's page is there. */
  onReady?: (detail: { workflowId: string }) => void;
  /** Another screen is shown. `step` is the step's id; absent on screens that are no step. */
  onStep?: (detail: { step?: string; kind: string; title: string }) => void;
  /** The end user has nothing left to do. What came of it, your server learns by webhook or API, not from here. */
  onComplete?: (detail: { workflowId: string; status: "COMPLETED" | "AWAITING" }) => void;
  /** The widget was closed, by the end user or by `close()`. */
  onClose?: (detail: Record<string, never>) => void;
  /** It cannot go on. `message` is for developers: the end user sees a page that says what to do. */
  onError?: (detail: { code: string; message: string }) => void;
}

/** What happens in a widget, and what its handlers are told. */
export interface PasserelleEvents {
  /** It was opened: the modal is over the page, or the frame is in place. */
  "widget-opened": Record<string, never>;
  "widget-closed": Record<string, never>;
  error: { code: string; message: string };
  /** The end user has nothing left to do. */
  "workflow-finished": { workflowId: string; status: "COMPLETED" | "AWAITING" };
}

export interface Passerelle {
  setOptions(options: PasserelleOptions): void;
  /** Another token: shows its execution, if one is shown now. */
  setContext(token: string): void;
  open(): void;
  close(): void;
  on<E extends keyof PasserelleEvents>(event: E, handler: (detail: PasserelleEvents[E]) => void): Passerelle;
  /** Without `handler`: all of the event's. */
  off<E extends keyof PasserelleEvents>(event: E, handler?: (detail: PasserelleEvents[E]) => void): Passerelle;
  /** Takes the widget off the page, with all that was set; the next `setOptions` or `open` begins anew. */
  unmountWidget(): void;
}

declare global {
  interface Window {
    passerelle: Passerelle;
    transactionlink: Passerelle;
    /** Called once the script is loaded, where your page defines it. */
    transactionlink_ready?: () => void;
    passerelle_ready?: () => void;
  }
}
