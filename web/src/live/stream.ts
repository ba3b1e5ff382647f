/** The server's events as they come: one stream for the whole page, whoever listens. */
import { under } from "@/app/prefix";
import { connection } from "./connection";

export interface LiveEvent {
  id: string;
  type: string;
  createdDate: string;
  data: Record<string, unknown>;
}

type Listener = (event: LiveEvent) => void;

const AGAIN_FIRST = 1_000;
const AGAIN_AT_MOST = 30_000;

/** What makes the page look again at everything: it may have missed something. */
export const MISSED = "missed";

class Stream {
  private readonly listeners = new Map<Listener, readonly string[]>();
  private source: EventSource | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  private pause = AGAIN_FIRST;
  private lastEvent = "";
  private begun = false;

  /** Hear of events of these types (`workflow.*` for all that begin so) until the answer is called. */
  listen(types: readonly string[], listener: Listener): () => void {
    this.listeners.set(listener, types);
    if (!this.source && !this.again) this.open();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.close();
    };
  }

  private open(): void {
    this.again = undefined;
    const query = this.lastEvent ? `?after=${encodeURIComponent(this.lastEvent)}` : "";
    const source = new EventSource(under(`/events${query}`));
    this.source = source;
    source.onopen = () => {
      this.pause = AGAIN_FIRST;
      if (this.begun && !this.lastEvent) this.tell({ id: "", type: MISSED, createdDate: "", data: {} });
      this.begun = true;
      connection.reached();
    };
    source.onerror = () => {
      // The browser tries again by itself unless the answer was no stream: then we do, less and less often.
      if (source.readyState !== EventSource.CLOSED) return connection.lost();
      this.source = undefined;
      this.lastEvent = "";
      this.again = setTimeout(() => this.open(), this.pause);
      this.pause = Math.min(this.pause * 2, AGAIN_AT_MOST);
    };
    source.onmessage = (message: MessageEvent<string>) => {
      this.lastEvent = message.lastEventId;
      this.tell(JSON.parse(message.data) as LiveEvent);
    };
  }

  private close(): void {
    clearTimeout(this.again);
    this.again = undefined;
    this.source?.close();
    this.source = undefined;
  }

  private tell(event: LiveEvent): void {
    for (const [listener, types] of this.listeners) {
      if (event.type === MISSED || types.some((type) => matches(type, event.type))) listener(event);
    }
  }
}

/** Whether an event's type is meant by a filter's entry. */
export function matches(filter: string, type: string): boolean {
  return filter.endsWith(".*") ? type.startsWith(filter.slice(0, -1)) : filter === type;
}

export const stream = new Stream();
