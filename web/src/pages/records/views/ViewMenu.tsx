import { Button, Checkbox, Menu, Modal, TextInput } from "@mantine/core";
import { IconBookmark, IconBookmarkPlus, IconChevronDown, IconDeviceFloppy, IconPencil, IconTrash, IconUsers } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey } from "@/api/client";
import { useMay } from "@/app/auth";
import { confirm, notifyDone, notifyFailed } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { readSearch, type RecordsSearch } from "../search";
import { viewsQuery, type View } from "./queries";
import css from "../grid/Bulk.module.css";

interface Props {
  /** The page's address below `/app`. */
  page: string;
  search: RecordsSearch;
  onSearch: (search: RecordsSearch) => void;
}

type Naming = { view: View | undefined };

/** Saved views: named addresses, for oneself or for everybody. */
export function ViewMenu({ page, search, onSearch }: Props) {
  const { t } = useTranslation("records");
  const queryClient = useQueryClient();
  const { data: views } = useQuery(viewsQuery(page));
  const keeps = useMay("can_manage_tables");
  const [naming, setNaming] = useState<Naming | undefined>();
  const current = views?.find(({ id }) => id === search.view);
  const changed = current !== undefined && !alike(readSearch(current.search), search);
  const mayChange = current !== undefined && (current.mine || keeps);
  const refresh = () => queryClient.invalidateQueries({ queryKey: ["views", page] });
  const open = (view: View) => onSearch({ ...readSearch(view.search), view: view.id });
  const overwrite = async (view: View) => {
    try {
      await got(
        api.PATCH("/views/{viewId}", { params: { path: { viewId: view.id } }, headers: { "If-Match": `"${view.version}"` }, body: { search: { ...kept(search) } } }),
      );
      notifyDone(t("view.saved", { name: view.name }));
    } catch (error) {
      notifyFailed(error);
    }
    await refresh();
  };
  const remove = async (view: View) => {
    const sure = await confirm({ title: t("view.deleteTitle", { name: view.name }), text: view.shared ? t("view.deleteShared") : t("view.deleteOwn"), action: t("view.delete"), dangerous: true });
    if (sure === undefined) return;
    try {
      await got(api.DELETE("/views/{viewId}", { params: { path: { viewId: view.id } } }));
      onSearch(kept(search));
    } catch (error) {
      notifyFailed(error);
    }
    await refresh();
  };
  const group = (title: string, some: readonly View[]) =>
    some.length > 0 && (
      <>
        <Menu.Label>{title}</Menu.Label>
        {some.map((view) => (
          <Menu.Item key={view.id} leftSection={view.shared ? <IconUsers size={15} /> : <IconBookmark size={15} />} onClick={() => open(view)}>
            {view.name}
          </Menu.Item>
        ))}
      </>
    );
  return (
    <>
      <Menu position="bottom-start">
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={15} />} rightSection={<IconChevronDown size={14} />}>
            {current ? `${current.name}${changed ? " •" : ""}` : t("view.all")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown mah="60vh" className={css.menu}>
          <Menu.Item onClick={() => onSearch({})}>{t("view.all")}</Menu.Item>
          {group(t("view.own"), views?.filter(({ shared }) => !shared) ?? [])}
          {group(t("view.shared"), views?.filter(({ shared }) => shared) ?? [])}
          <Menu.Divider />
          {current && changed && mayChange && (
            <Menu.Item leftSection={<IconDeviceFloppy size={15} />} onClick={() => void overwrite(current)}>
              {t("view.overwrite", { name: current.name })}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconBookmarkPlus size={15} />} onClick={() => setNaming({ view: undefined })}>
            {t("view.new")}
          </Menu.Item>
          {current && mayChange && (
            <>
              <Menu.Item leftSection={<IconPencil size={15} />} onClick={() => setNaming({ view: current })}>
                {t("view.rename", { name: current.name })}
              </Menu.Item>
              <Menu.Item color="red" leftSection={<IconTrash size={15} />} onClick={() => void remove(current)}>
                {t("view.deleteIt", { name: current.name })}
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      {naming && (
        <NameDialog
          page={page}
          search={kept(search)}
          view={naming.view}
          onClose={(view) => {
            setNaming(undefined);
            void refresh();
            if (view && !naming.view) open(view);
          }}
        />
      )}
    </>
  );
}

interface DialogProps {
  page: string;
  search: RecordsSearch;
  view: View | undefined;
  onClose: (view: View | undefined) => void;
}

function NameDialog({ page, search, view, onClose }: DialogProps) {
  const { t } = useTranslation("records");
  const [name, setName] = useState(view?.name ?? "");
  const [shared, setShared] = useState(view?.shared ?? false);
  const [key] = useState(idempotencyKey);
  const [failure, setFailure] = useState<unknown>();
  const save = async () => {
    try {
      const saved = view
        ? await got(api.PATCH("/views/{viewId}", { params: { path: { viewId: view.id } }, body: { name: name.trim(), shared } }))
        : await got(api.POST("/views", { params: { header: { "Idempotency-Key": key } }, body: { page, name: name.trim(), shared, search: { ...search } } }));
      onClose(saved);
    } catch (error) {
      setFailure(error);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) void save();
  };
  return (
    <Modal opened onClose={() => onClose(undefined)} title={view ? t("view.renameTitle") : t("view.newTitle")} closeButtonProps={{ "aria-label": t("view.close") }}>
      <form onSubmit={submit} className={css.form}>
        {failure !== undefined && <Failure error={failure} />}
        <TextInput label={t("view.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={100} required data-autofocus />
        <Checkbox label={t("view.share")} description={t("view.shareHint")} checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} />
        <Button type="submit">{t("view.save")}</Button>
      </form>
    </Modal>
  );
}

/** What a view keeps of an address. */
function kept(search: RecordsSearch): RecordsSearch {
  const rest = { ...search };
  delete rest.view;
  return rest;
}

function alike(one: RecordsSearch, other: RecordsSearch): boolean {
  const plain = (search: RecordsSearch) => JSON.stringify(Object.entries(kept(search)).sort(([a], [b]) => a.localeCompare(b)));
  return plain(one) === plain(other);
}
