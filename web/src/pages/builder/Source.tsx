/** The text itself, with what the schema knows: completion, explanations, and errors where they stand. */
import { autocompletion, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
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
import { explainedAt, offersAt } from "@/builder/completing";
import { changeBetween } from "@/builder/history";
import { pathAt, rangeOf, type Path } from "@/builder/parsed";
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
  const complete = useEffectEvent((context: CompletionContext) => completed(context, builder));
  const explain = useEffectEvent((offset: number, source: string) => explainedAt(source, offset, builder.language.root));
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

function asTooltip(words: readonly string[]): HTMLElement {
  const box = document.createElement("div");
  box.className = css.tooltip!;
  for (const line of words) box.appendChild(document.createElement("p")).textContent = line;
  return box;
}

/** What may go on where somebody types, as CodeMirror takes it. */
function completed(context: CompletionContext, builder: ReturnType<typeof useBuilder>): CompletionResult | null {
  const steps = allLists(builder.list).flatMap((list) => list.steps.map((step) => step.id));
  const known = { root: builder.language.root, names: builder.names, steps, tables: builder.tables.map((table) => table.name) };
  const found = offersAt(context.state.doc.toString(), context.pos, known, context.explicit);
  if (!found) return null;
  const options = found.offers.map(({ what, ...offer }): Completion => ({ ...offer, type: { key: "property", value: "enum", name: "variable" }[what] }));
  return { from: found.from, options, validFor: /^[\w$./+-]*$/ };
}
