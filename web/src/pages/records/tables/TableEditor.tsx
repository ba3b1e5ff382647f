import { Button, Checkbox, Group, Modal, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey, type Schemas } from "@/api/client";
import { ApiError } from "@/api/errors";
import { Allowed } from "@/components/Allowed";
import { confirm, notifyDone, notifyFailed } from "@/components/confirm";
import { CopyButton } from "@/components/CopyButton";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { localized } from "@/components/localized";
import { Notice } from "@/components/Notice";
import { PageHeader } from "@/components/PageHeader";
import { Section } from "@/components/Section";
import { tableQuery, tablesQuery } from "../queries";
import { titleOf, type Table } from "../types";
import { bodyOf, draftOf, isChanged, newDraft, titled, type FieldDraft } from "./drafts";
import { FieldEditor } from "./FieldEditor";
import css from "./Tables.module.css";

const route = getRouteApi("/records/$table/settings");

/** A table's fields, to be changed; what that does to the records is said first. */
export function TableSettingsPage() {
  const { table: name } = route.useParams();
  const { data: table, error } = useQuery(tableQuery(name));
  if (error) return <Failure error={error} />;
  if (!table) return <Loading />;
  return <TableEditor key={`${table.id} ${(table as Table & { version?: number }).version ?? ""}`} table={table} />;
}

/** A new table. */
export function NewTablePage() {
  return <TableEditor table={undefined} />;
}

function TableEditor({ table }: { table: Table | undefined }) {
  const { t, i18n } = useTranslation("tables");
  const { language } = i18n;
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const { data: tables } = useQuery(tablesQuery);
  const [name, setName] = useState(table?.name ?? "");
  const [title, setTitle] = useState(localized(table?.title, language));
  const [drafts, setDrafts] = useState<FieldDraft[]>(() => (table ? table.fields.map((field) => draftOf(field, language)) : [newDraft()]));
  const [preview, setPreview] = useState<Schemas["TablePreview"] | undefined>();
  const [key, setKey] = useState(idempotencyKey);
  const body = { name: name.trim(), title: titled(table?.title, title, language), fields: bodyOf(drafts, language) };
  const send = useMutation({
    mutationFn: async () => {
      if (table) return setPreview(await got(api.POST("/tables/{tableId}/preview", { params: { path: { tableId: table.id } }, body: body as never })));
      try {
        await got(api.POST("/tables", { params: { header: { "Idempotency-Key": key } }, body: body as never }));
      } catch (refused) {
        if (refused instanceof ApiError) setKey(idempotencyKey());
        throw refused;
      }
      notifyDone(t("made"));
      await queryClient.invalidateQueries({ queryKey: ["records", "tables"] });
      await navigate({ to: "/records/$table", params: { table: body.name } });
    },
  });
  const errors = errorsByField(send.error);
  const changed = !table || isChanged(table, name, title, drafts, language);
  const change = (place: number, draft: FieldDraft) => setDrafts(drafts.map((one, at) => (at === place ? draft : one)));
  const move = (place: number, step: -1 | 1) => {
    const next = [...drafts];
    const [moved] = next.splice(place, 1);
    if (moved) next.splice(place + step, 0, moved);
    setDrafts(next);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  return (
    <>
      <PageHeader
        title={table ? t("title", { table: titleOf(table, language) }) : t("newTitle")}
        above={
          table ? (
            <Link to="/records/$table" params={{ table: table.name }}>
              {titleOf(table, language)}
            </Link>
          ) : (
            <Link to="/records">{t("tables")}</Link>
          )
        }
        below={t("below")}
        actions={table && !table.builtIn && <Remove table={table} />}
      />
      <form onSubmit={submit}>
        {send.error && errors.size === 0 && <Failure error={send.error} />}
        <div className={css.inputs}>
          <TextInput label={t("name")} description={t("nameHint")} value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={63} required disabled={table?.builtIn ?? false} spellCheck={false} />
          <TextInput label={t("tableTitle")} description={t("titleHint")} value={title} onChange={(event) => setTitle(event.currentTarget.value)} maxLength={200} />
        </div>
        <h2 className={css.heading}>{t("fields")}</h2>
        <div className={css.list}>
          {drafts.map((draft, place) => (
            <FieldEditor
              key={draft.key}
              draft={draft}
              place={place}
              count={drafts.length}
              tables={[...new Set([...(tables ?? []).map((one) => one.name), ...(body.name ? [body.name] : [])])]}
              error={errors.get(place)}
              onChange={(next) => change(place, next)}
              onMove={(step) => move(place, step)}
              onRemove={() => setDrafts(drafts.filter((_, at) => at !== place))}
            />
          ))}
        </div>
        <Group mt="md">
          <Button variant="default" leftSection={<IconPlus size={15} />} onClick={() => setDrafts([...drafts, newDraft()])}>
            {t("addField")}
          </Button>
          <Allowed by="can_manage_tables" reason={changed ? undefined : t("unchanged")}>
            <Button type="submit" loading={send.isPending}>
              {table ? t("preview") : t("make")}
            </Button>
          </Allowed>
        </Group>
      </form>
      {table && <TableFile table={table} />}
      {table && preview && <PreviewDialog table={table} body={body} preview={preview} onClose={() => setPreview(undefined)} />}
    </>
  );
}

/** What the change does, what records lose by it, and the file that says the same. */
function PreviewDialog({ table, body, preview, onClose }: { table: Table; body: object; preview: Schemas["TablePreview"]; onClose: () => void }) {
  const { t } = useTranslation("tables");
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [loses, setLoses] = useState(false);
  const change = useMutation({
    mutationFn: () =>
      got(
        api.PATCH("/tables/{tableId}", {
          params: { path: { tableId: table.id }, query: { loseData: loses } },
          headers: { "If-Match": `"${(table as Table & { version?: number }).version ?? 0}"` },
          body: body as never,
        }),
      ),
    onSuccess: async (changed) => {
      notifyDone(t("changed"));
      onClose();
      await queryClient.invalidateQueries({ queryKey: ["records"] });
      if (changed.name !== table.name) await navigate({ to: "/records/$table/settings", params: { table: changed.name } });
    },
  });
  const isLost = preview.losses.length > 0;
  return (
    <Modal opened onClose={onClose} title={t("previewTitle")} size="lg" closeButtonProps={{ "aria-label": t("close") }}>
      {change.error && <Failure error={change.error} />}
      {preview.differences.length === 0 ? (
        <p>{t("same")}</p>
      ) : (
        <ul className={css.differences}>
          {preview.differences.map(({ sign, text }) => (
            <li key={`${sign} ${text}`} data-sign={sign}>
              <code aria-hidden>{sign}</code> {text}
            </li>
          ))}
        </ul>
      )}
      {isLost && (
        <Notice tone="bad" title={t("loses")}>
          <ul className={css.differences}>
            {preview.losses.map(({ message }) => (
              <li key={message}>{message}</li>
            ))}
          </ul>
          <Checkbox size="xs" label={t("loseAll")} checked={loses} onChange={(event) => setLoses(event.currentTarget.checked)} />
        </Notice>
      )}
      <details>
        <summary>{t("file", { name: table.name })}</summary>
        <pre className={css.file} tabIndex={0} role="group" aria-label={t("file", { name: table.name })}>{preview.file}</pre>
      </details>
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          {t("back")}
        </Button>
        <Button color={isLost ? "red.8" : "indigo"} disabled={preview.differences.length === 0 || (isLost && !loses)} loading={change.isPending} onClick={() => change.mutate()}>
          {t("change")}
        </Button>
      </Group>
    </Modal>
  );
}

/** The table's file, for git. */
function TableFile({ table }: { table: Table }) {
  const { t } = useTranslation("tables");
  const { data, error } = useQuery({
    queryKey: ["records", table.name, "file"],
    queryFn: () => got(api.GET("/tables/{tableId}/file", { params: { path: { tableId: table.id } }, parseAs: "text" })),
  });
  return (
    <Section title={t("file", { name: table.name })} actions={data !== undefined && <CopyButton value={data} what={t("file", { name: table.name })} />}>
      <p className="quiet">{t("fileHint")}</p>
      {error ? <Failure error={error} /> : <pre className={css.file} tabIndex={0} role="group" aria-label={t("file", { name: table.name })}>{data}</pre>}
    </Section>
  );
}

function Remove({ table }: { table: Table }) {
  const { t, i18n } = useTranslation("tables");
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const remove = async (loseData: boolean) => {
    await got(api.DELETE("/tables/{tableId}", { params: { path: { tableId: table.id }, query: { loseData } } }));
    notifyDone(t("deleted"));
    await navigate({ to: "/records" });
    await queryClient.invalidateQueries({ queryKey: ["records", "tables"] });
  };
  const ask = async () => {
    const title = t("deleteTitle", { table: titleOf(table, i18n.language) });
    if ((await confirm({ title, text: t("deleteText"), action: t("delete"), dangerous: true })) === undefined) return;
    try {
      await remove(false);
    } catch (refused) {
      if (!(refused instanceof ApiError && refused.has("TABLE_LOSES_DATA"))) return notifyFailed(refused);
      if ((await confirm({ title, text: t("deleteRecords"), action: t("deleteAll"), dangerous: true })) === undefined) return;
      await remove(true).catch(notifyFailed);
    }
  };
  return (
    <Allowed by="can_manage_tables">
      <Button variant="default" leftSection={<IconTrash size={15} />} onClick={() => void ask()}>
        {t("delete")}
      </Button>
    </Allowed>
  );
}

/** What the server says, by the place of the field that it says it of. */
function errorsByField(error: unknown): Map<number, string> {
  const found = new Map<number, string>();
  if (!(error instanceof ApiError)) return found;
  for (const { pointer, message } of error.problems) {
    const place = Number(/^\/fields\/(\d+)/.exec(pointer ?? "")?.[1] ?? Number.NaN);
    if (!Number.isNaN(place)) found.set(place, [found.get(place), message].filter(Boolean).join("\n"));
  }
  return found;
}
