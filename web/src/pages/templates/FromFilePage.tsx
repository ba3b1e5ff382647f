import { Button, Checkbox, Code, FileButton, Group, MultiSelect, Select, TextInput } from "@mantine/core";
import { IconFileUpload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { Failure } from "@/components/Failure";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { Making } from "./Making";
import css from "./Templates.module.css";

type Converted = Schemas["ConvertedAnswer"];

const KINDS = ["json-schema", "csv", "openapi", "bpmn"] as const;
type Kind = (typeof KINDS)[number];

interface Wish {
  file: File;
  kind: Kind | null;
  name: string;
  operations: string[];
  batch: boolean;
}

/** A file becomes a definition: its text, what was not carried over, and then what it makes. */
export function FromFilePage() {
  const { t } = useTranslation("templates");
  const [wish, setWish] = useState<Wish | undefined>();
  const convert = useMutation({ mutationFn: converted });
  const look = (next: Wish) => {
    setWish(next);
    convert.mutate(next);
  };
  const choose = (file: File | null) => {
    if (file) look({ file, kind: null, name: "", operations: [], batch: false });
  };
  const done = convert.data;
  return (
    <>
      <PageHeader title={t("file.title")} above={<Link to="/definitions">{t("above")}</Link>} below={t("file.below")} />
      <FileButton onChange={choose} accept=".json,.yaml,.yml,.csv,.tsv,.txt,.bpmn,.xml">
        {(props) => (
          <Allowed by="can_manage_definitions">
            <Button {...props} variant={wish ? "default" : "filled"} leftSection={<IconFileUpload size={15} />} loading={convert.isPending}>
              {wish ? t("file.another", { name: wish.file.name }) : t("file.choose")}
            </Button>
          </Allowed>
        )}
      </FileButton>
      {wish && <Options key={wish.file.name} wish={wish} done={done} pending={convert.isPending} onLook={look} />}
      {convert.isError && <Failure error={convert.error} />}
      {done && !convert.isPending && <Result done={done} />}
    </>
  );
}

async function converted({ file, kind, name, operations, batch }: Wish): Promise<Converted> {
  const query = { file: file.name.slice(0, 200), batch, ...(kind && { kind }), ...(name && { name }), ...(operations.length > 0 && { operations }) };
  return got(
    api.POST("/definitions/import", {
      params: { query },
      body: file as never,
      bodySerializer: (body) => body,
      headers: { "Content-Type": "application/octet-stream" },
    }),
  );
}

interface OptionsProps {
  wish: Wish;
  done: Converted | undefined;
  pending: boolean;
  onLook: (wish: Wish) => void;
}

/** How the file is to be read, once it was read by itself. */
function Options({ wish, done, pending, onLook }: OptionsProps) {
  const { t } = useTranslation("templates");
  const [next, setNext] = useState(wish);
  const kind = next.kind ?? done?.kind ?? null;
  const calls = done?.operations ?? [];
  return (
    <div className={css.options}>
      <Select
        label={t("file.kind")}
        data={KINDS.map((value) => ({ value, label: t(`kind.${value}`) }))}
        value={kind}
        onChange={(value) => setNext({ ...next, kind: value as Kind })}
        allowDeselect={false}
      />
      <TextInput label={t("file.name")} placeholder={done?.name ?? ""} value={next.name} maxLength={63} onChange={(event) => setNext({ ...next, name: event.currentTarget.value })} />
      {kind === "csv" && <Checkbox label={t("file.batch")} checked={next.batch} onChange={(event) => setNext({ ...next, batch: event.currentTarget.checked })} />}
      {calls.length > 0 && (
        <MultiSelect
          className={css.wide ?? ""}
          label={t("file.operations")}
          placeholder={next.operations.length === 0 ? t("file.operationsHint") : ""}
          data={calls.map((one) => ({ value: one.id, label: `${one.method} ${one.path}${one.summary ? ` · ${one.summary}` : ""}` }))}
          value={next.operations}
          onChange={(operations) => setNext({ ...next, operations })}
          searchable
          clearable
          limit={100}
        />
      )}
      <Group align="end">
        <Button variant="default" loading={pending} onClick={() => onLook(next)}>
          {t("file.again")}
        </Button>
      </Group>
    </div>
  );
}

function Result({ done }: { done: Converted }) {
  const { t } = useTranslation("templates");
  return (
    <div className={css.result}>
      <Section title={t("file.leftOut", { count: done.leftOut.length + done.moreLeftOut })}>
        {done.leftOut.length === 0 ? (
          <p className="quiet">{t("file.nothingLeftOut")}</p>
        ) : (
          <Notice tone="warn" title={t("file.leftOutText")}>
            <ul className={css.leftOut} tabIndex={0} aria-label={t("file.leftOutText")}>
              {done.leftOut.map(({ place, reason }) => (
                <li key={`${place} ${reason}`}>
                  <span className="mono">{place}</span> {reason}
                </li>
              ))}
              {done.moreLeftOut > 0 && <li>{t("file.more", { count: done.moreLeftOut })}</li>}
            </ul>
          </Notice>
        )}
      </Section>
      <Section title={t("file.text")}>
        <Code block className={css.source} tabIndex={0} role="region" aria-label={`${done.name}.yaml`}>
          {done.text}
        </Code>
      </Section>
      <Making name={done.name} text={done.text} tables={done.tables} />
    </div>
  );
}
