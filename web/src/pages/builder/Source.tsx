/** The text itself, with what the schema knows: completion, explanations, and errors where they stand. */
import { autocompletion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { search, searchKeymap } from "@codemirror/search";
import { EditorState, Transaction } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useEffectEvent, useRef } from "react";
import { useTranslation } from "react-i18next";

import { nonce } from "@/app/nonce";
import { changeBetween } from "@/builder/history";
import { completions } from "@/builder/names";
import { pathAt, parse, rangeOf, type Path } from "@/builder/parsed";
import { partOf, resolved, schemaAt, type Schema } from "@/builder/schema";
import { allLists, useBuilder, type Problem } from "./state";
import css from "./Builder.module.css";

const LOOK = EditorView.theme({
  "&": { height: "100%", fontSize: "0.8rem", backgroundColor: "var(--surface)", color: "var(--text)" },
  "&.cm-focused": { outline: "2px solid var(--mantine-color-indigo-5)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mantine-font-family-monospace)", lineHeight: "1.55" },
  ".cm-gutters": { backgroundColor: "var(--canvas)", color: "var(--text-quiet)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--mantine-color-indigo-6) 8%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--mantine-color-indigo-6) 26%, transparent) !important" },
  ".cm-tooltip": { backgroundColor: "var(--surface-raised)", border: "1px solid var(--line)", borderRadius: "6px", color: "var(--text)", maxWidth: "32rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--mantine-color-indigo-6)", color: "#fff" },
  ".cm-panels": { backgroundColor: "var(--canvas)", color: "var(--text)" },
});
const COLOURS = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--link)" },
  { tag: [tags.string, tags.content], color: "var(--text)" },
  { tag: tags.comment, color: "var(--text-quiet)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--warn)" },
  { tag: [tags.punctuation, tags.separator, tags.meta], color: "var(--text-quiet)" },
]);

export default function Source() {
  const builder = useBuilder();
  const { text, problems, warnings, selected, drawn } = builder;
  const { t } = useTranslation("builder");
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const typed = useEffectEvent((next: string) => builder.type(next));
  const moved = useEffectEvent((offset: number) => {
    const parsed = builder.drawn;
    if (parsed.text !== builder.text) return;
    const path = stepAround(pathAt(parsed, offset), builder);
    if (path.join("/") !== builder.selected.join("/")) builder.select(path);
  });
  const undo = useEffectEvent(() => (builder.undo(), true));
  const redo = useEffectEvent(() => (builder.redo(), true));
  const complete = useEffectEvent((context: CompletionContext) => completed(context, builder.language.root, builder));
  const explain = useEffectEvent((offset: number, source: string) => explained(offset, source, builder.language.root));
  const label = t("text");

  useEffect(() => {
    const editor = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: text,
        extensions: [
          EditorView.cspNonce.of(nonce()),
          EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
          lineNumbers(),
          foldGutter(),
          lintGutter(),
          drawSelection(),
          bracketMatching(),
          highlightActiveLine(),
          search({ top: true }),
          indentUnit.of("  "),
          yaml(),
          syntaxHighlighting(COLOURS),
          LOOK,
          autocompletion({ override: [(context) => complete(context)], icons: false }),
          hoverTooltip((_, offset) => {
            const found = explain(offset, editor.state.doc.toString());
            return found ? { pos: found.from, end: found.to, create: () => ({ dom: asTooltip(found.words) }) } : null;
          }),
          keymap.of([
            { key: "Mod-z", run: undo, preventDefault: true },
            { key: "Mod-y", run: redo, preventDefault: true },
            { key: "Mod-Shift-z", run: redo, preventDefault: true },
            { key: "Escape", run: (one) => (one.contentDOM.blur(), true) },
            ...defaultKeymap,
            ...searchKeymap,
            indentWithTab,
          ]),
          EditorView.updateListener.of((update) => {
            const own = !update.transactions.some((one) => one.annotation(Transaction.remote));
            if (update.docChanged && own) typed(update.state.doc.toString());
            else if (update.selectionSet && own && editor.hasFocus) moved(update.state.selection.main.head);
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
    // Made once: what changes afterwards is told to it.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [label]);

  useEffect(() => {
    const editor = view.current!;
    const before = editor.state.doc.toString();
    if (before === text) return;
    const { from, removed, inserted } = changeBetween(before, text);
    editor.dispatch({ changes: { from, to: from + removed.length, insert: inserted }, annotations: Transaction.remote.of(true) });
  }, [text]);

  useEffect(() => {
    const editor = view.current!;
    const place = (one: Problem, severity: Diagnostic["severity"]): Diagnostic => ({ ...placeOf(editor.state, one), severity, message: one.message });
    const found = [...problems.map((one) => place(one, "error")), ...warnings.map((one) => place(one, "warning"))];
    editor.dispatch(setDiagnostics(editor.state, found));
  }, [problems, warnings]);

  useEffect(() => {
    const editor = view.current!;
    if (editor.hasFocus || selected.length === 0 || drawn.text !== editor.state.doc.toString()) return;
    const range = rangeOf(drawn, selected);
    if (range) editor.dispatch({ selection: { anchor: range.from }, effects: EditorView.scrollIntoView(range.from, { y: "start", yMargin: 40 }), annotations: Transaction.remote.of(true) });
    // Only where another step was chosen: what is typed in a form must not move the text.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selected]);

  return <div ref={host} className={css.source} data-source />;
}

/** The step or the branch that a place of the text belongs to. */
function stepAround(path: Path, builder: ReturnType<typeof useBuilder>): Path {
  const known = allLists(builder.list).flatMap((list) => list.steps.map((step) => step.path));
  const fits = known.filter((one) => one.length <= path.length && one.every((part, place) => part === path[place]));
  return fits.reduce<Path>((best, one) => (one.length > best.length ? one : best), []);
}

function placeOf(state: EditorState, problem: Problem): { from: number; to: number } {
  const line = state.doc.line(Math.min(Math.max(problem.line, 1), state.doc.lines));
  const from = Math.min(line.from + problem.column - 1, line.to);
  const rest = /^[^\s:]+/.exec(line.text.slice(from - line.from));
  return { from, to: Math.min(line.to, from + Math.max(1, rest?.[0].length ?? 1)) };
}

function explained(offset: number, source: string, root: Schema): { from: number; to: number; words: string[] } | undefined {
  const parsed = parse(source);
  const path = pathAt(parsed, offset);
  const range = rangeOf(parsed, path);
  const schema = schemaAt(root, path);
  if (!range || !schema?.description || offset > range.from + String(path.at(-1)).length + 1) return undefined;
  const example = schema.examples?.[0];
  return { from: range.from, to: range.from + String(path.at(-1)).length, words: [path.join(" › "), schema.description, ...(example === undefined ? [] : [JSON.stringify(example)])] };
}

function asTooltip(words: readonly string[]): HTMLElement {
  const box = document.createElement("div");
  box.className = css.tooltip!;
  for (const line of words) box.appendChild(document.createElement("p")).textContent = line;
  return box;
}

/** Keys that may stand here, values that a key may have, and names of expressions. */
function completed(context: CompletionContext, root: Schema, builder: ReturnType<typeof useBuilder>): CompletionResult | null {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const inside = /(?:\$\{|\b(?:when|visibleWhen|until):\s*["']?)([^}]*)$/.exec(before);
  if (inside) {
    const found = completions(inside[1]!, builder.names, 40);
    const token = /[A-Za-z_][\w.]*$/.exec(inside[1]!)?.[0] ?? "";
    return found.length > 0 ? { from: context.pos - token.length, options: found.map(({ name }) => ({ label: name.name, detail: name.what })), validFor: /^[\w.]*$/ } : null;
  }
  const typing = /^(\s*(?:- )*)([\w$]*)$/.exec(before);
  if (typing) {
    const column = typing[1]!.length;
    const around = pathAround(context.state.doc.toString(), line.from, column);
    const schema = around && schemaAt(root, around);
    if (!schema?.properties) return null;
    if (!context.explicit && typing[2] === "") return null;
    const options = Object.entries(schema.properties).map(([label, one]) => ({ label, apply: `${label}: `, info: resolved(root, one).description ?? "", type: "property" }));
    return { from: context.pos - typing[2]!.length, options, validFor: /^[\w$]*$/ };
  }
  const valued = /^(\s*(?:- )*)([\w$]+):\s+([\w/-]*)$/.exec(before);
  if (!valued) return null;
  const around = pathAround(context.state.doc.toString(), line.from, valued[1]!.length);
  const schema = around && schemaAt(root, [...around, valued[2]!]);
  const values = schema ? valuesOf(schema, valued[2]!, builder) : [];
  return values.length > 0 ? { from: context.pos - valued[3]!.length, options: values.map((label) => ({ label, type: "enum" })), validFor: /^[\w/-]*$/ } : null;
}

function valuesOf(schema: Schema, key: string, builder: ReturnType<typeof useBuilder>): string[] {
  if (key === "goto") return allLists(builder.list).flatMap((list) => list.steps.map((step) => step.id));
  if (key === "table") return builder.tables.map((table) => table.name);
  if (schema.enum) return schema.enum.map(String);
  if (schema.type === "boolean") return ["true", "false"];
  return partOf(schema) ? [] : (schema.examples ?? []).filter((one): one is string => typeof one === "string");
}

/** The path of the mapping whose keys stand in a column, read from the lines above: the text may not be sound there. */
function pathAround(text: string, offset: number, column: number): Path | undefined {
  const path: (string | number)[] = [];
  let limit = column;
  const lines = text.slice(0, offset).split("\n").slice(0, -1);
  const own = text.slice(offset).split("\n", 1)[0]!;
  const items = /^(\s*)(- )/.exec(own);
  let wanted = items && items[1]!.length < column ? items[1]!.length : undefined;
  if (wanted !== undefined) limit = wanted + 1;
  for (let number = lines.length - 1; number >= 0 && limit > 0; number -= 1) {
    const found = /^(\s*)((?:- )*)([\w$.-]+):(?:\s|$)/.exec(lines[number]!) ?? /^(\s*)(- )()/.exec(lines[number]!);
    if (!found) continue;
    const [indent, dashes, key] = [found[1]!.length, found[2]!.length, found[3]!];
    if (dashes > 0 && indent < limit && indent + dashes <= limit) {
      if (indent + dashes < limit && key) path.unshift(key);
      path.unshift(0);
      limit = indent + 1;
      wanted = indent;
    } else if (dashes === 0 && key && (indent < limit - (wanted === undefined ? 0 : 1) || indent === wanted)) {
      if (wanted !== undefined && path[0] !== 0) path.unshift(0);
      path.unshift(key);
      limit = indent;
      wanted = undefined;
    }
  }
  return path;
}
