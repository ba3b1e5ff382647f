import { Button, FileInput, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconListSearch, IconTrash, IconUpload } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { under } from "@/app/prefix";
import { Allowed } from "@/components/Allowed";
import { CurlButton } from "@/components/CurlButton";
import { Empty } from "@/components/Empty";
import { FormDialog } from "@/components/FormDialog";
import type { Page } from "@/components/List";
import { PageHeader } from "@/components/PageHeader";
import { Time } from "@/components/Time";
import { useRemoval, useSaving } from "./change";
import { Needs } from "./Needs";
import { Rows } from "./Rows";
import { UsedIn } from "./UsedIn";
import css from "./Settings.module.css";

type Version = Schemas["ListVersionAnswer"];
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const LARGEST = 200_000_000;
const LIMIT = 50;
const route = getRouteApi("/settings/lists");

/** Lists of names: loaded, with their versions, and where they are searched. */
export function ListsPage() {
  const { t } = useTranslation("admin");
  const { list } = route.useSearch();
  return (
    <Needs permission="can_view_workspace" title={t("lists.title")}>
      {list ? <Versions key={list} name={list} /> : <Lists />}
    </Needs>
  );
}

function useNumber(): (value: number) => string {
  const { i18n } = useTranslation();
  const format = new Intl.NumberFormat(i18n.language);
  return (value) => format.format(value);
}

function Lists() {
  const { t } = useTranslation("admin");
  const number = useNumber();
  const [loading, { open, close }] = useDisclosure();
  const query = useInfiniteQuery({
    queryKey: ["settings", "lists"],
    queryFn: ({ pageParam }) => got(api.GET("/lists", { params: { query: { limit: LIMIT, ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page: Page<Version>) => page.next ?? undefined,
  });
  const load = (
    <Allowed by="can_manage_lists">
      <Button leftSection={<IconUpload size={15} />} onClick={open}>
        {t("lists.load")}
      </Button>
    </Allowed>
  );
  return (
    <>
      <PageHeader title={t("lists.title")} below={t("lists.text")} actions={load} />
      <Rows
        label={t("lists.title")}
        query={query}
        keyOf={(list) => list.name}
        empty={<Empty icon={IconListSearch} title={t("lists.none")} text={t("lists.noneText")} />}
        columns={[
          {
            id: "name",
            header: t("lists.name"),
            cell: ({ name }) => (
              <Link to="/settings/lists" search={{ list: name }} className={css.name}>
                {name}
              </Link>
            ),
          },
          { id: "entries", header: t("lists.entries"), cell: ({ entries }) => <span className="numbers">{number(entries)}</span> },
          { id: "version", header: t("lists.version"), cell: ({ version }) => <span className="numbers">{version}</span> },
          { id: "at", header: t("lists.loaded"), cell: (list) => <Loaded version={list} /> },
          { id: "uses", header: t("uses.title"), cell: ({ name }) => <ListUses name={name} /> },
        ]}
      />
      {loading && <Load onClose={close} />}
    </>
  );
}

function ListUses({ name, alone }: { name: string; alone?: boolean }) {
  return <UsedIn name={name} alone={alone ?? false} queryKey={["list", name]} read={() => got(api.GET("/lists/{name}/uses", { params: { path: { name } } }))} />;
}

function Loaded({ version }: { version: Version }) {
  return (
    <>
      <Time at={version.loadedDate} />
      <div className="quiet">{version.loadedBy}</div>
    </>
  );
}

function Versions({ name }: { name: string }) {
  const { t } = useTranslation(["admin", "settings"]);
  const number = useNumber();
  const [loading, { open, close }] = useDisclosure();
  const path = { name };
  const navigate = useNavigate();
  const remove = useRemoval("settings", "lists");
  const removeIt = async () => {
    const question = { title: t("lists.delete.title", { name }), text: t("lists.delete.text"), action: t("lists.delete.do") };
    const gone = await remove(question, () => got(api.DELETE("/lists/{name}", { params: { path } })), t("lists.delete.done", { name }));
    if (gone) await navigate({ to: "/settings/lists" });
  };
  const query = useInfiniteQuery({
    queryKey: ["settings", "lists", name],
    queryFn: ({ pageParam }) => got(api.GET("/lists/{name}/versions", { params: { path, query: { limit: LIMIT, ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page: Page<Version>) => page.next ?? undefined,
  });
  return (
    <>
      <PageHeader
        title={t("lists.one", { name })}
        above={<Link to="/settings/lists">{t("lists.title")}</Link>}
        below={t("lists.oneText")}
        actions={
          <>
            <CurlButton calls={[{ text: t("lists.versions"), call: { path: `/lists/${name}/versions` } }]} />
            <Allowed by="can_manage_lists">
              <Button variant="default" leftSection={<IconTrash size={15} />} onClick={() => void removeIt()}>
                {t("lists.delete.do")}
              </Button>
            </Allowed>
            <Allowed by="can_manage_lists">
              <Button leftSection={<IconUpload size={15} />} onClick={open}>
                {t("lists.loadNext")}
              </Button>
            </Allowed>
          </>
        }
      />
      <ListUses name={name} alone />
      <Rows
        label={t("lists.versions")}
        query={query}
        keyOf={({ version }) => String(version)}
        empty={<Empty icon={IconListSearch} title={t("lists.noVersions")} text={t("lists.noneText")} />}
        columns={[
          { id: "version", header: t("lists.version"), cell: ({ version }) => <span className="numbers">{version}</span> },
          { id: "entries", header: t("lists.entries"), cell: ({ entries }) => <span className="numbers">{number(entries)}</span> },
          { id: "at", header: t("lists.loaded"), cell: (version) => <Loaded version={version} /> },
          { id: "hash", header: "SHA-256", cell: ({ sha256 }) => <code className="mono">{sha256.slice(0, 16)}…</code> },
          {
            id: "acts",
            header: t("settings:acts"),
            align: "end",
            cell: ({ version }) => (
              <Button
                variant="default"
                component="a"
                href={under(`/lists/${encodeURIComponent(name)}/versions/${version}`)}
                download={`${name}-${version}.csv`}
                aria-label={t("lists.downloadNamed", { version })}
              >
                {t("lists.download")}
              </Button>
            ),
          },
        ]}
      />
      {loading && <Load name={name} onClose={close} />}
    </>
  );
}

function Load({ name: given, onClose }: { name?: string; onClose: () => void }) {
  const { t } = useTranslation("admin");
  const save = useSaving(onClose, "settings", "lists");
  const number = useNumber();
  const [name, setName] = useState(given ?? "");
  const [file, setFile] = useState<File | null>(null);
  const missing = !NAME.test(name)
    ? t("lists.needsName")
    : !file
      ? t("lists.needsFile")
      : file.size > LARGEST
        ? t("lists.tooLarge")
        : undefined;
  const load = () =>
    save(
      () =>
        got(
          api.PUT("/lists/{name}", {
            params: { path: { name } },
            body: file as unknown as string,
            bodySerializer: (body) => body as unknown as File,
            headers: { "Content-Type": "text/csv" },
          }),
        ),
      (made) => t("lists.done", { name, version: made.version, entries: number(made.entries) }),
    );
  return (
    <FormDialog title={given ? t("lists.loadNext") : t("lists.load")} missing={missing} action={t("lists.load")} send={load} onClose={onClose} className={css.form}>
      {!given && (
        <TextInput
          label={t("lists.name")}
          description={t("lists.nameHint")}
          placeholder="eu"
          maxLength={64}
          autoComplete="off"
          spellCheck={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value.toLowerCase())}
          data-autofocus
        />
      )}
      <FileInput
        size="xs"
        label={t("lists.file")}
        description={t("lists.fileHint")}
        placeholder={t("lists.choose")}
        accept=".csv,text/csv,text/plain"
        value={file}
        onChange={setFile}
        clearable
        clearButtonProps={{ "aria-label": t("lists.clear") }}
      />
    </FormDialog>
  );
}
