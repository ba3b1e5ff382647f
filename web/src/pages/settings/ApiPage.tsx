import { Button, Select, Textarea, TextInput } from "@mantine/core";
import { IconApi, IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { asCurl } from "@/api/curl";
import { CLIENT, sessionEnded, useMay, useMe, useWhyNot } from "@/app/auth";
import { under } from "@/app/prefix";
import { Reasoned } from "@/components/Allowed";
import { confirm } from "@/components/confirm";
import { CopyButton } from "@/components/CopyButton";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { Tag } from "@/components/Status";
import { duration } from "@/components/times";
import { addressOf, documentQuery, exampleOf, operationsOf, resolved, typeOf, type Document, type Operation, type Schema } from "./openapi";
import { SearchInput } from "./SearchInput";
import css from "./Api.module.css";

const VERSION_2 = "application/json;version=2";
const MOST_SHOWN = 200_000;
const route = getRouteApi("/settings/api");

/** Every call of the API, the workspace's own tables included, and a way to try it as who is signed in. */
export function ApiPage() {
  const { t } = useTranslation("admin");
  const { workspace } = useMe();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(documentQuery(workspace.id));
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  const operations = operationsOf(query.data);
  const open = operations.find(({ id }) => id === search.call);
  if (open) return <Call key={open.id} call={open} document={query.data} />;
  return (
    <>
      <PageHeader
        title={t("api.title")}
        below={
          <>
            {t("api.text", { workspace: workspace.name })} <a href={under("/docs")}>{t("api.whole")}</a>
          </>
        }
      />
      <div className={css.filter} role="search">
        <SearchInput label={t("api.search")} value={search.search ?? ""} onSearch={(words) => void navigate({ search: words ? { search: words } : {}, replace: true })} />
      </div>
      <Calls operations={operations.filter((one) => fits(one, search.search ?? ""))} />
    </>
  );
}

function fits({ summary, path, method, group }: Operation, words: string): boolean {
  const text = `${summary} ${path} ${method} ${group}`.toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function Calls({ operations }: { operations: readonly Operation[] }) {
  const { t } = useTranslation("admin");
  const groups = new Map<string, Operation[]>();
  for (const one of operations) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  if (operations.length === 0) return <Empty icon={IconApi} title={t("api.none")} text={t("api.noneText")} />;
  return [...groups].map(([group, calls]) => (
    <Section key={group} title={group}>
      <ul className={css.calls}>
        {calls.map((call) => (
          <li key={call.id}>
            <Link to="/settings/api" search={(before) => ({ ...before, call: call.id })} className={css.call}>
              <span className={css.method} data-method={call.method}>
                {call.method}
              </span>
              <code className={css.path}>{call.path}</code>
              <span className={css.summary}>{call.summary}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  ));
}

interface Answer {
  status: number;
  milliseconds: number;
  type: string;
  text: string;
  cut: boolean;
}

function Call({ call, document }: { call: Operation; document: Document }) {
  const { t } = useTranslation("admin");
  const { search } = route.useSearch();
  const may = useMay(call.permission ?? "");
  const whyNot = useWhyNot(call.permission ?? "");
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [media, setMedia] = useState(call.bodies[0]?.type);
  const schema = call.bodies.find(({ type }) => type === media)?.schema;
  const [body, setBody] = useState(() => beginning(schema, media, document));
  const trying = useMutation({ mutationFn: () => send(call, values, media, body) });
  const wrongJson = media?.includes("json") && body.trim() ? whyNotJson(body) : undefined;
  const empty = call.parameters.filter(({ name, required }) => required && !values[name]?.trim()).map(({ name }) => name);
  const missing =
    call.permission && !may
      ? t("api.forbidden", { permission: call.permission, reason: whyNot ?? "" })
      : empty.length > 0
        ? t("api.needs", { names: empty.join(", ") })
        : wrongJson !== undefined
          ? t("api.notJson")
          : undefined;
  const tryIt = async () => {
    if (call.method !== "GET") {
      const sure = await confirm({ title: t("api.sure", { call: `${call.method} ${call.path}` }), text: t("api.sureText"), action: t("api.send"), dangerous: call.method === "DELETE" });
      if (sure === undefined) return;
    }
    trying.mutate();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!missing) void tryIt();
  };
  const curl = asCurl({ method: call.method, path: addressOf(call, values), ...(call.bodies.length > 0 && body.trim() && wrongJson === undefined && media?.includes("json") && { body: JSON.parse(body) as unknown }) });
  return (
    <>
      <PageHeader
        title={call.summary}
        above={
          <Link to="/settings/api" search={search ? { search } : {}}>
            {t("api.title")}
          </Link>
        }
        below={
          <span className={css.address}>
            <span className={css.method} data-method={call.method}>
              {call.method}
            </span>
            <code>{call.path}</code>
            {call.deprecated && <Tag tone="warn" text={t("api.deprecated")} />}
          </span>
        }
      />
      <p className={css.description}>{call.description.replaceAll("`", "")}</p>
      <form onSubmit={submit} className={css.form}>
        <Section title={t("api.try")}>
          <p className="quiet">{t("api.signs")}</p>
          <div className={css.fields}>
            {call.parameters.map((parameter) => (
              <ParameterInput
                key={`${parameter.in} ${parameter.name}`}
                name={parameter.name}
                description={parameter.description ?? ""}
                required={parameter.required ?? false}
                schema={resolved(parameter.schema, document)}
                type={typeOf(parameter.schema, document)}
                value={values[parameter.name] ?? ""}
                onChange={(value) => setValues({ ...values, [parameter.name]: value })}
              />
            ))}
          </div>
          {call.bodies.length > 1 && (
            <Select
              label={t("api.media")}
              data={call.bodies.map(({ type }) => type)}
              value={media ?? null}
              allowDeselect={false}
              onChange={(type) => {
                setMedia(type ?? media);
                setBody(beginning(call.bodies.find((one) => one.type === type)?.schema, type ?? undefined, document));
              }}
            />
          )}
          {call.bodies.length > 0 && (
            <Textarea
              label={t("api.body")}
              classNames={{ input: "mono" }}
              autosize
              minRows={4}
              maxRows={24}
              spellCheck={false}
              value={body}
              error={wrongJson}
              onChange={(event) => setBody(event.currentTarget.value)}
            />
          )}
          {schema && <Fields schema={schema} document={document} />}
          <div className={css.buttons}>
            <Reasoned reason={missing}>
              <Button type="submit" leftSection={<IconPlayerPlay size={15} />} loading={trying.isPending}>
                {t("api.sendMethod", { method: call.method })}
              </Button>
            </Reasoned>
          </div>
        </Section>
      </form>
      <div role="status">
        {trying.isError && <Failure error={trying.error} />}
        {trying.data && <AnswerView answer={trying.data} />}
      </div>
      <Section title="curl" actions={<CopyButton value={curl} what="curl" />}>
        <pre className={css.code} tabIndex={0} role="group" aria-label="curl">
          {curl}
        </pre>
      </Section>
    </>
  );
}

interface ParameterProps {
  name: string;
  description: string;
  required: boolean;
  schema: Schema;
  type: string;
  value: string;
  onChange: (value: string) => void;
}

function ParameterInput({ name, description, required, schema, type, value, onChange }: ParameterProps) {
  const choices = schema.enum ?? schema.anyOf?.find((one) => one.enum)?.enum;
  const shared = { label: <code>{name}</code>, "aria-label": name, description: `${description} (${type})`, required, withAsterisk: required };
  if (choices) {
    return <Select {...shared} data={choices.map(String)} value={value || null} clearable={!required} clearButtonProps={{ "aria-label": name }} onChange={(chosen) => onChange(chosen ?? "")} />;
  }
  return <TextInput {...shared} autoComplete="off" spellCheck={false} value={value} onChange={(event) => onChange(event.currentTarget.value)} />;
}

/** What the body has, by name. */
function Fields({ schema, document }: { schema: Schema; document: Document }) {
  const { t } = useTranslation("admin");
  const found = resolved(schema, document);
  const fields = Object.entries(found.properties ?? {});
  if (fields.length === 0) return null;
  return (
    <details>
      <summary className={css.more}>{t("api.fields", { count: fields.length })}</summary>
      <dl className={css.fieldList}>
        {fields.map(([name, part]) => (
          <div key={name}>
            <dt>
              <code>{name}</code> <span className="quiet">{typeOf(part, document)}</span>
              {found.required?.includes(name) && <Tag tone="quiet" text={t("api.required")} />}
            </dt>
            <dd>{part.description ?? resolved(part, document).description}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function AnswerView({ answer }: { answer: Answer }) {
  const { t } = useTranslation("admin");
  const tone = answer.status < 300 ? "good" : answer.status < 400 ? "busy" : "bad";
  return (
    <Section title={t("api.answer")} actions={answer.text ? <CopyButton value={answer.text} what={t("api.answer")} /> : undefined}>
      <p className={css.status}>
        <Tag tone={tone} text={String(answer.status)} /> <span className="quiet numbers">{duration(answer.milliseconds)}</span> <span className="quiet">{answer.type}</span>
      </p>
      {answer.text ? (
        <pre className={css.code} tabIndex={0} role="group" aria-label={t("api.answer")}>
          {answer.text}
        </pre>
      ) : (
        <p className="quiet">{t("api.noText")}</p>
      )}
      {answer.cut && <p className="quiet">{t("api.cut")}</p>}
    </Section>
  );
}

function beginning(schema: Schema | undefined, media: string | undefined, document: Document): string {
  return media?.includes("json") ? JSON.stringify(exampleOf(schema, document), null, 2) : "";
}

function whyNotJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Makes the call with the session of who is signed in: nobody pastes credentials. */
async function send(call: Operation, values: Readonly<Record<string, string>>, media: string | undefined, body: string): Promise<Answer> {
  const began = performance.now();
  const headers = new Headers({ ...CLIENT, Accept: VERSION_2 });
  for (const { name, in: place } of call.parameters) if (place === "header" && values[name]) headers.set(name, values[name]);
  const hasBody = call.bodies.length > 0 && body.trim() !== "";
  if (hasBody && media) headers.set("Content-Type", media);
  const answer = await fetch(under(addressOf(call, values)), { method: call.method, headers, credentials: "same-origin", redirect: "manual", ...(hasBody && { body }) });
  if (answer.status === 401) sessionEnded();
  const text = await answer.text();
  const type = answer.headers.get("Content-Type") ?? "";
  const pretty = type.includes("json") && whyNotJson(text) === undefined ? JSON.stringify(JSON.parse(text), null, 2) : text;
  return { status: answer.status, milliseconds: performance.now() - began, type, text: pretty.slice(0, MOST_SHOWN), cut: pretty.length > MOST_SHOWN };
}
