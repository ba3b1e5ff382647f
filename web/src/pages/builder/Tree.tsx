/** The steps as an outline: the same thing as the graph, for the keyboard and for screen readers. */
import { IconAlertTriangle } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState, type DragEvent, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import type { Path } from "@/builder/parsed";
import { placeIn, samePath, type Step, type StepList } from "@/builder/steps";
import { localized } from "@/components/localized";
import { useStepActions } from "./actions";
import { begin, current, finish } from "./drag";
import { KindIcon } from "./KindIcon";
import { problemsAt, useBuilder } from "./state";
import { useKindWords } from "./words";
import css from "./Builder.module.css";

interface Row {
  path: Path;
  level: number;
  step: Step | undefined;
  /** Of a branch. */
  list: StepList | undefined;
  place: number;
  size: number;
}

const HEIGHT = 34;

export function Tree({ missed }: { missed: ReadonlySet<string> | undefined }) {
  const { list, selected, select, problems } = useBuilder();
  const { t } = useTranslation("builder");
  const actions = useStepActions();
  const rows = useMemo(() => [{ path: [], level: 1, step: undefined, list: undefined, place: 1, size: 1 }, ...rowsOf(list, 2)], [list]);
  const scroller = useRef<HTMLDivElement>(null);
  // The library hands out functions that must not be kept: nothing here is.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => HEIGHT, overscan: 12, getItemKey: (index) => rows[index]?.path.join("/") ?? index });
  const here = Math.max(0, rows.findIndex((row) => samePath(row.path, selected)));
  const [wantsFocus, setWantsFocus] = useState(0);
  useEffect(() => {
    virtual.scrollToIndex(here, { align: "auto" });
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [here]);
  useEffect(() => {
    if (wantsFocus > 0) scroller.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }, [wantsFocus]);
  const go = (index: number) => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (!row) return;
    select(row.path);
    setWantsFocus((count) => count + 1);
  };
  const press = (event: KeyboardEvent) => {
    const row = rows[here];
    const step = row?.step;
    const keys: Record<string, (() => void) | undefined> = {
      ArrowDown: event.altKey ? step && (() => actions.shift(step, 1)) : () => go(here + 1),
      ArrowUp: event.altKey ? step && (() => actions.shift(step, -1)) : () => go(here - 1),
      ArrowLeft: () => go(rows.findLastIndex((one, place) => place < here && one.level < (row?.level ?? 1))),
      ArrowRight: () => go(rows[here + 1] && rows[here + 1]!.level > (row?.level ?? 1) ? here + 1 : here),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      Delete: step && (() => (actions.remove(step), setWantsFocus((count) => count + 1))),
      Enter: () => document.querySelector<HTMLElement>(`[data-builder-form] input, [data-builder-form] textarea, [data-builder-form] button`)?.focus(),
    };
    const run = keys[event.key];
    if (!run || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    run();
  };
  return (
    <div ref={scroller} className={css.tree}>
      <div role="tree" aria-label={t("outline")} className={css.treeInner} style={{ height: virtual.getTotalSize() }} onKeyDown={press}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index]!;
          return (
            <TreeRow
              key={item.key}
              row={row}
              top={item.start}
              isSelected={item.index === here}
              wrong={problemsAt(problems, row.path).length > 0 && row.path.length > 0}
              missed={row.step !== undefined && missed?.has(row.step.id) === true}
            />
          );
        })}
      </div>
    </div>
  );
}

function rowsOf(list: StepList, level: number): Row[] {
  return list.steps.flatMap((step, place) => [
    { path: step.path, level, step, list: undefined, place: place + 1, size: list.steps.length },
    ...step.lists.flatMap((inner, number) =>
      inner.name
        ? [{ path: inner.path, level: level + 1, step: undefined, list: inner, place: number + 1, size: step.lists.length }, ...rowsOf(inner, level + 2)]
        : rowsOf(inner, level + 1),
    ),
  ]);
}

interface RowProps {
  row: Row;
  top: number;
  isSelected: boolean;
  wrong: boolean;
  missed: boolean;
}

function TreeRow({ row, top, isSelected, wrong, missed }: RowProps) {
  const { select, drawn } = useBuilder();
  const { t, i18n } = useTranslation("builder");
  const words = useKindWords();
  const actions = useStepActions();
  const [over, setOver] = useState<"before" | "after" | undefined>();
  const { step, list, level } = row;
  const root = drawn.value as { title?: unknown; name?: unknown } | undefined;
  const name = step ? titleOf(step, i18n.language, drawn.value) : list ? list.name : localized(root?.title, i18n.language) || (typeof root?.name === "string" ? root.name : "");
  const drop = (event: DragEvent) => {
    event.preventDefault();
    const what = finish();
    const side = over;
    setOver(undefined);
    if (!what) return;
    const place = list ? { list: list.path, index: list.steps.length } : step ? behind(step, side) : { list: ["steps"], index: 0 };
    if ("kind" in what) actions.add(what.kind, place);
    else if (!samePath(place.list.slice(0, what.step.length), what.step)) actions.move(what.step, place.list, place.index);
  };
  return (
    <div
      role="treeitem"
      className={css.treeRow}
      data-chosen={isSelected || undefined}
      data-over={over}
      aria-selected={isSelected}
      aria-level={level}
      aria-posinset={row.place}
      aria-setsize={row.size}
      tabIndex={isSelected ? 0 : -1}
      style={{ transform: `translateY(${top}px)`, paddingInlineStart: `${0.4 + (level - 1) * 1.05}rem` }}
      draggable={step !== undefined}
      onClick={() => select(row.path)}
      onDragStart={(event) => step && begin(event, { step: step.path })}
      onDragEnd={finish}
      onDragOver={(event) => {
        if (!current()) return;
        event.preventDefault();
        const box = event.currentTarget.getBoundingClientRect();
        setOver(step && event.clientY < box.top + box.height / 2 ? "before" : "after");
      }}
      onDragLeave={() => setOver(undefined)}
      onDrop={drop}
    >
      <KindIcon kind={step ? step.kind : list ? "branch" : "definition"} />
      <span className={css.treeName}>{name || t("unnamed")}</span>
      <span className={css.treeKind}>{step ? words(step.kind) : list ? t("branchWord") : t("definition")}</span>
      {missed && (
        <span className={css.missed} title={t("missedHint")}>
          {t("missed")}
        </span>
      )}
      {wrong && <IconAlertTriangle size={14} className={css.alert} aria-label={t("wrong")} />}
    </div>
  );
}

function behind(step: Step, side: "before" | "after" | undefined): { list: Path; index: number } {
  const { list, index } = placeIn(step.path);
  return { list, index: side === "before" ? index : index + 1 };
}

/** What a step is called: its own title, else that of its page, else its id. Read from the text as it is now. */
export function titleOf(step: Step, language: string, document: unknown): string {
  const found = step.path.reduce<unknown>((value, part) => (typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[part] : undefined), document) as
    | Record<string, unknown>
    | undefined;
  const own = localized(found?.["title"], language);
  if (own) return own;
  const kind = step.kind === undefined ? undefined : (found?.[step.kind] as { title?: unknown; subject?: unknown } | null | undefined);
  return localized(kind?.title ?? kind?.subject, language) || step.id;
}
