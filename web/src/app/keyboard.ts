/** Shortcuts: who is on the screen says which there are, and one dialogue lists them. */
import { useEffect, useEffectEvent, useSyncExternalStore } from "react";

export interface Shortcut {
  /** A key as `KeyboardEvent.key` names it, or two in a row: `g e`. `mod+k` is Ctrl or ⌘ with it. */
  keys: string;
  /** What it does, in the person's language. */
  text: string;
  run: () => void;
}

export interface ShortcutGroup {
  title: string;
  shortcuts: readonly Shortcut[];
}

const KEPT = "passerelle.single-keys";
const BETWEEN = 1_000;

type Listener = () => void;

class Keyboard {
  private groups: readonly ShortcutGroup[] = [];
  private readonly listeners = new Set<Listener>();
  private before: { key: string; at: number } | undefined;
  private on = localStorage.getItem(KEPT) !== "off";

  /** Every group on the screen, the page's own last. */
  get all(): readonly ShortcutGroup[] {
    return this.groups;
  }

  /** Whether keys without Ctrl do anything: speech input types them by accident (WCAG 2.1.4). */
  get singleKeys(): boolean {
    return this.on;
  }

  setSingleKeys(on: boolean): void {
    this.on = on;
    localStorage.setItem(KEPT, on ? "on" : "off");
    this.tell();
  }

  subscribe = (listener: Listener): Listener => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  add(group: ShortcutGroup): Listener {
    this.groups = [...this.groups, group];
    this.tell();
    return () => {
      this.groups = this.groups.filter((one) => one !== group);
      this.tell();
    };
  }

  /** Do what a key is for. */
  press = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey) return;
    const mod = event.ctrlKey || event.metaKey;
    if (!mod && (!this.on || isTyping(event.target) || inDialogue())) return;
    const key = mod ? `mod+${event.key.toLowerCase()}` : event.key;
    const pair = this.before && event.timeStamp - this.before.at < BETWEEN ? `${this.before.key} ${key}` : undefined;
    this.before = mod ? undefined : { key, at: event.timeStamp };
    const found = (pair && this.find(pair)) || this.find(key);
    if (!found) return;
    event.preventDefault();
    this.before = undefined;
    found.run();
  };

  private find(keys: string): Shortcut | undefined {
    for (const group of [...this.groups].reverse()) {
      const found = group.shortcuts.find((shortcut) => shortcut.keys === keys);
      if (found) return found;
    }
    return undefined;
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), textarea, select, [role=textbox], [role=combobox]");
}

function inDialogue(): boolean {
  return document.querySelector("[role=dialog][aria-modal=true], [role=menu]") !== null;
}

export const keyboard = new Keyboard();

/** Have these shortcuts while the component is on the screen. */
export function useShortcuts(title: string, shortcuts: readonly Shortcut[]): void {
  const run = useEffectEvent((keys: string) => shortcuts.find((shortcut) => shortcut.keys === keys)?.run());
  const described = JSON.stringify(shortcuts.map(({ keys, text }) => ({ keys, text })));
  useEffect(() => {
    const kept = JSON.parse(described) as { keys: string; text: string }[];
    return keyboard.add({ title, shortcuts: kept.map((shortcut) => ({ ...shortcut, run: () => run(shortcut.keys) })) });
  }, [title, described]);
}

/** What the dialogue lists. */
export function useShortcutGroups(): readonly ShortcutGroup[] {
  return useSyncExternalStore(keyboard.subscribe, () => keyboard.all);
}

export function useSingleKeys(): boolean {
  return useSyncExternalStore(keyboard.subscribe, () => keyboard.singleKeys);
}
