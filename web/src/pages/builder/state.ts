/** What the builder works with: one text and its history; everything else follows from them. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useMemo, useReducer, useRef, useState } from "react";

import type { Schemas } from "@/api/client";
import { Refused } from "@/builder/edits";
import { begun, changed, redo, undo, type History } from "@/builder/history";
import { namesFor, type Name } from "@/builder/names";
import { parse, type Parsed, type Path } from "@/builder/parsed";
import { languageOf, type Language, type Schema } from "@/builder/schema";
import { everyStep, outline, samePath, type Step, type StepList } from "@/builder/steps";
import { notifyFailed } from "@/components/confirm";
import { checkQuery, tablesQuery } from "./queries";

export type Problem = Schemas["DefinitionProblemAnswer"];

export interface Builder {
  text: string;
  parsed: Parsed;
  /** The newest text that could be read: what is drawn while somebody types on. */
  drawn: Parsed;
  list: StepList;
  language: Language;
  selected: Path;
  select: (path: Path) => void;
  /** The step that is selected. */
  step: Step | undefined;
  /** Change the text by the drawing or a form. Edits of one `group` in a row are undone together. */
  edit: (change: (parsed: Parsed) => Parsed, group?: string) => boolean;
  type: (text: string) => void;
  undo: () => void;
  redo: () => void;
  canUndo: boolean;
  canRedo: boolean;
  problems: readonly Problem[];
  warnings: readonly Problem[];
  /** What the server says of the text; undefined while it is asked. */
  check: Schemas["CheckAnswer"] | undefined;
  /** The same; while it is asked, what it said before. */
  lastCheck: Schemas["CheckAnswer"] | undefined;
  names: readonly Name[];
  tables: readonly { name: string; fields: readonly { name: string }[] }[];
  /** Fields of the table that executions concern a record of. */
  recordFields: readonly string[];
  /** Values that expressions are shown with, by what they read; the others are made up. */
  samples: Readonly<Record<string, unknown>>;
  sample: (name: string, value: unknown) => void;
}

type Action = { text: string; group: string | undefined } | "undo" | "redo";

function next(history: History, action: Action): History {
  if (action === "undo") return undo(history);
  if (action === "redo") return redo(history);
  return changed(history, action.text, action.group);
}

const CHECKS = ["builder", "check"];

/** What the server says of a text: asked at once, and of what is typed meanwhile when the answer is there. */
function useCheck(text: string) {
  const [asked, setAsked] = useState(text);
  const { data, isFetching } = useQuery({ ...checkQuery(asked), placeholderData: (before) => before });
  if (asked !== text && !isFetching) setAsked(text);
  return { check: data, isOf: asked === text && !isFetching };
}

/** The state of one builder. `start`: the text that it begins with. */
export function useBuilderState(start: string, schema: Schema): Builder {
  const [history, dispatch] = useReducer(next, start, begun);
  const [selected, select] = useState<Path>([]);
  const { text } = history;
  const language = useMemo(() => languageOf(schema), [schema]);
  const parsed = useMemo(() => parse(text), [text]);
  const [readable, setReadable] = useState(parsed);
  if (parsed.readable && parsed !== readable) setReadable(parsed);
  const drawn = parsed.readable ? parsed : readable;
  const list = useMemo(() => outline(drawn.value, language.nesting), [drawn, language]);
  const step = useMemo(() => everyStep(list).find((one) => samePath(one.path, selected)), [list, selected]);
  const { check, isOf } = useCheck(text);
  const queryClient = useQueryClient();
  // Asked before it is drawn: the server works meanwhile.
  const change = useCallback(
    (next: string, group: string | undefined) => {
      if (queryClient.isFetching({ queryKey: CHECKS }) === 0) void queryClient.prefetchQuery(checkQuery(next));
      dispatch({ text: next, group });
    },
    [queryClient],
  );
  const { data: tables } = useQuery(tablesQuery);
  const recordFields = useMemo(() => {
    const record = (drawn.value as { record?: { table?: unknown } } | undefined)?.record?.table;
    return tables?.data.find((one) => one.name === record)?.fields.map((field) => field.name) ?? [];
  }, [drawn, tables]);
  const names = useMemo(() => namesFor(drawn.value, list, step, recordFields), [drawn, list, step, recordFields]);
  const [samples, setSamples] = useState<Record<string, unknown>>({});
  // Several edits in one go rest on one another, not on what is drawn.
  const newest = useRef(parsed);
  useEffect(() => {
    newest.current = parsed;
  }, [parsed]);
  const edit = useCallback(
    (how: (parsed: Parsed) => Parsed, group?: string) => {
      try {
        newest.current = how(newest.current);
        change(newest.current.text, group);
        return true;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        notifyFailed(error);
        return false;
      }
    },
    [change],
  );
  return {
    text,
    parsed,
    drawn,
    list,
    language,
    selected,
    select,
    step,
    edit,
    type: useCallback((typed: string) => change(typed, "typing"), [change]),
    undo: useCallback(() => dispatch("undo"), []),
    redo: useCallback(() => dispatch("redo"), []),
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
    problems: check?.problems ?? [],
    warnings: check?.warnings ?? [],
    check: isOf ? check : undefined,
    lastCheck: check,
    names,
    tables: tables?.data ?? [],
    recordFields,
    samples,
    sample: useCallback((name: string, value: unknown) => setSamples((before) => ({ ...before, [name]: value })), []),
  };
}

export const BuilderContext = createContext<Builder | undefined>(undefined);

export function useBuilder(): Builder {
  const builder = useContext(BuilderContext);
  if (!builder) throw new Error("not inside of a builder");
  return builder;
}

/** The problems that stand at a path or below it. */
export function problemsAt(problems: readonly Problem[], path: Path): Problem[] {
  return problems.filter((one) => path.length <= one.path.length && path.every((part, place) => part === one.path[place]));
}

/** The list and the place where something new goes: behind what is selected. */
export function placeForNew(list: StepList, selected: Path): { list: Path; index: number } {
  const lists = allLists(list);
  const own = lists.find((one) => samePath(one.path, selected));
  if (own) return { list: own.path, index: own.steps.length };
  const last = selected.at(-1);
  const around = lists.find((one) => samePath(one.path, selected.slice(0, -1)));
  if (around && typeof last === "number") return { list: around.path, index: last + 1 };
  return { list: list.path, index: list.steps.length };
}

export function allLists(list: StepList): StepList[] {
  return [list, ...everyStep(list).flatMap((step) => step.lists)];
}
