/** Whether the server can be reached, as the calls and the stream of events tell. */
type Listener = () => void;

class Connection {
  private online = true;
  private readonly listeners = new Set<Listener>();

  /** Something was answered; what was on its way when the browser lost its connection says nothing of it. */
  reached = (): void => this.set(navigator.onLine);

  /** Something was not. */
  lost = (): void => this.set(false);

  /** Hear of it from the browser as well, which knows first. */
  watch(): void {
    window.addEventListener("offline", this.lost);
    window.addEventListener("online", this.reached);
  }

  get isOnline(): boolean {
    return this.online;
  }

  subscribe = (listener: Listener): Listener => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private set(online: boolean): void {
    if (online === this.online) return;
    this.online = online;
    for (const listener of this.listeners) listener();
  }
}

export const connection = new Connection();
