/** The form of what is selected: a step, a branch, or the definition itself. */
import { ActionIcon, Button, Menu, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconCopy, IconDots, IconLayoutColumns, IconRepeat, IconTrash, IconBoxOff } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { set, valueAt } from "@/builder/edits";
import { placeIn, renameBranch, renameStep, samePath, type Step } from "@/builder/steps";
import { useStepActions } from "./actions";
import { Expected } from "./Expected";
import { FieldsEditor } from "./FieldsEditor";
import { KindIcon } from "./KindIcon";
import { isObject, KeyInput, Tool } from "./inputs";
import { HandMade, ObjectInput, SchemaInput, type InputProps } from "./SchemaForm";
import { allLists, problemsAt, useBuilder } from "./state";
import { HttpTry } from "./HttpTry";
import { Letter } from "./Letter";
import { CheckChoice, CheckInputs, DefinitionChoice, LetterText, PageText, RecordValues, TableChoice } from "./Parts";
import { useKindWords } from "./words";
import css from "./Builder.module.css";

type Part = (props: InputProps) => ReactNode;

const PARTS: Readonly<Record<string, Part>> = {
  "form.schema": (props) => <FieldsEditor {...props} />,
  "event.schema": (props) => <FieldsEditor {...props} />,
  "check.name": (props) => <CheckChoice {...props} />,
  "check.with": (props) => <CheckInputs {...props} />,
  "workflow.definition": (props) => <DefinitionChoice {...props} />,
  "record.table": (props) => <TableChoice {...props} />,
  "record.create": (props) => <RecordValues {...props} />,
  "record.update": (props) => <RecordValues {...props} />,
  "record.upsert": (props) => <RecordValues {...props} />,
  "record.find": (props) => <RecordValues {...props} />,
  "email.body": (props) => <LetterText {...props} />,
  "message.text": (props) => <PageText {...props} />,
  "consent.text": (props) => <PageText {...props} />,
};

export function StepForm() {
  const { step, selected, list } = useBuilder();
  const branch = allLists(list).find((one) => samePath(one.path, selected));
  return (
    <HandMade value={PARTS}>
      {step ? <OneStep key={selected.join("/")} step={step} /> : branch && branch !== list ? <Branch key={selected.join("/")} name={branch.name} /> : <Root />}
    </HandMade>
  );
}

function OneStep({ step }: { step: Step }) {
  const { language, problems, parsed, edit } = useBuilder();
  const { t } = useTranslation("builder");
  const words = useKindWords();
  const schema = step.kind === undefined ? undefined : language.kinds.get(step.kind);
  const wrong = problemsAt(problems, step.path);
  const common = { type: "object", properties: Object.fromEntries([...language.common].filter(([name]) => name !== "id")), additionalProperties: true } as const;
  const kinds = [...language.kinds.keys()];
  return (
    <section className={css.form} aria-label={t("stepForm", { id: step.id })}>
      <header className={css.formHead}>
        <KindIcon kind={step.kind} size={18} />
        <h2>{words(step.kind)}</h2>
        <StepTools step={step} />
      </header>
      {wrong.length > 0 && (
        <ul className={css.wrong}>
          {wrong.slice(0, 5).map((one) => (
            <li key={`${one.line} ${one.message}`}>
              {one.path.length > step.path.length && <strong>{one.path.slice(step.path.length).join(" › ")}: </strong>}
              {one.message}
            </li>
          ))}
        </ul>
      )}
      <StepId key={step.id} step={step} />
      {schema ? (
        isObject(valueAt(parsed, [...step.path, step.kind!])) && schema.properties ? (
          <ObjectInput bare path={[...step.path, step.kind!]} schema={schema} label={words(step.kind)} />
        ) : (
          <SchemaInput path={[...step.path, step.kind!]} schema={schema} label={words(step.kind)} />
        )
      ) : (
        <p className="quiet">{t("noKindText")}</p>
      )}
      {step.kind === "email" && <Letter step={step} />}
      {step.kind === "http" && <HttpTry step={step} />}
      <Expected step={step} />
      <h3 className={css.sub}>{t("always")}</h3>
      <ObjectInput bare path={step.path} schema={common} label={step.id} skip={["id", ...kinds]} />
      {step.kind === undefined && (
        <Menu>
          <Menu.Target>
            <Button variant="default">{t("chooseKind")}</Button>
          </Menu.Target>
          <Menu.Dropdown>
            {kinds.map((kind) => (
              <Menu.Item key={kind} onClick={() => edit((now) => set(now, [...step.path, kind], {}))}>
                {words(kind)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </section>
  );
}

/** A step's id: what names it in expressions changes with it, when it is left. */
function StepId({ step }: { step: Step }) {
  const { edit } = useBuilder();
  const { t } = useTranslation("builder");
  const [typed, setTyped] = useState(step.id);
  const wrong = /^[A-Za-z_]\w*$/.test(typed) ? undefined : t("idWrong");
  const leave = () => {
    if (!wrong && typed !== step.id) edit((parsed) => renameStep(parsed, step.path, typed));
  };
  return (
    <TextInput
      label={t("id")}
      description={t("idHint", { id: wrong ? "…" : typed })}
      value={typed}
      error={wrong}
      maxLength={100}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onBlur={leave}
      onKeyDown={(event) => event.key === "Enter" && leave()}
    />
  );
}

function StepTools({ step }: { step: Step }) {
  const { list } = useBuilder();
  const { t } = useTranslation("builder");
  const actions = useStepActions();
  const { index, list: around } = placeIn(step.path);
  const siblings = allLists(list).find((one) => samePath(one.path, around))?.steps.length ?? 1;
  const pair = index < siblings - 1 ? 2 : 1;
  return (
    <span className={css.tools}>
      <Tool icon={IconArrowUp} text={t("upOf", { what: step.id })} disabled={index === 0} onClick={() => actions.shift(step, -1)} />
      <Tool icon={IconArrowDown} text={t("downOf", { what: step.id })} disabled={index === siblings - 1} onClick={() => actions.shift(step, 1)} />
      <Tool icon={IconCopy} text={t("copyOf", { what: step.id })} onClick={() => actions.duplicate(step)} />
      <Tool icon={IconTrash} text={t("removeOf", { what: step.id })} onClick={() => actions.remove(step)} />
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon size={24} aria-label={t("groupOf", { what: step.id })}>
            <IconDots size={14} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconLayoutColumns size={14} />} onClick={() => actions.wrap(step, "parallel", pair)}>
            {t(pair === 2 ? "wrapTwo" : "wrapOne")}
          </Menu.Item>
          <Menu.Item leftSection={<IconRepeat size={14} />} onClick={() => actions.wrap(step, "each", 1)}>
            {t("wrapEach")}
          </Menu.Item>
          {step.lists.some((one) => one.steps.length > 0) && (
            <Menu.Item leftSection={<IconBoxOff size={14} />} onClick={() => actions.unwrap(step)}>
              {t("unwrap")}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    </span>
  );
}

function Branch({ name }: { name: string }) {
  const { selected, edit, select } = useBuilder();
  const { t } = useTranslation("builder");
  return (
    <section className={css.form} aria-label={t("branch", { name: name || t("inside") })}>
      <header className={css.formHead}>
        <h2>{t("branch", { name: name || t("inside") })}</h2>
      </header>
      <p className="quiet">{t("branchHint")}</p>
      {name && (
        <KeyInput
          label={t("branchName")}
          name={name}
          taken={[]}
          onRename={(to) => {
            if (edit((parsed) => renameBranch(parsed, selected, to))) select([...selected.slice(0, -1), to]);
          }}
        />
      )}
    </section>
  );
}

function Root() {
  const { language, problems } = useBuilder();
  const { t } = useTranslation("builder");
  const outside = problems.filter((one) => one.path[0] !== "steps" || one.path.length === 1);
  return (
    <section className={css.form} aria-label={t("definition")}>
      <header className={css.formHead}>
        <h2>{t("definition")}</h2>
      </header>
      <p className="quiet">{t("definitionHint")}</p>
      {outside.length > 0 && (
        <ul className={css.wrong}>
          {outside.slice(0, 5).map((one) => (
            <li key={`${one.line} ${one.message}`}>
              {one.where}: {one.message}
            </li>
          ))}
        </ul>
      )}
      <ObjectInput bare path={[]} schema={language.root} label={t("definition")} skip={["steps"]} />
    </section>
  );
}
