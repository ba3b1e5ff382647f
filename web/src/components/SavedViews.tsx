import { Button, Menu, Modal, Switch, TextInput } from "@mantine/core";
import { IconBookmark, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey, type Schemas } from "@/api/client";
import { notifyFailed, notifyUndo } from "./confirm";

type View = Schemas["ViewAnswer"];

interface Props {
  /** The page's address below `/app`. */
  page: string;
  /** What it is narrowed to now. */
  search: object;
  onChosen: (search: Record<string, unknown>) => void;
}

/** What the page was narrowed to before, under names; one's own and those that are shared. */
export function SavedViews({ page, search, onChosen }: Props) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const [naming, setNaming] = useState(false);
  const queryKey = ["views", page];
  const { data } = useQuery({
    queryKey,
    queryFn: () => got(api.GET("/views", { params: { query: { page } } })),
    staleTime: 60_000,
  });
  const settled = () => queryClient.invalidateQueries({ queryKey });
  const save = useMutation({
    mutationFn: (view: { name: string; shared: boolean; search: object }) =>
      got(
        api.POST("/views", {
          params: { header: { "Idempotency-Key": idempotencyKey() } },
          body: { page, name: view.name, shared: view.shared, search: view.search as Record<string, unknown> },
        }),
      ),
    onSuccess: () => setNaming(false),
    onError: notifyFailed,
    onSettled: settled,
  });
  const remove = useMutation({
    mutationFn: (view: View) => got(api.DELETE("/views/{viewId}", { params: { path: { viewId: view.id } } })),
    onSuccess: (_, view) => notifyUndo(t("views.removed", { name: view.name }), t("undo"), () => save.mutate(view)),
    onError: notifyFailed,
    onSettled: settled,
  });
  const views = data?.data ?? [];
  const same = JSON.stringify(search);
  const current = views.find((view) => JSON.stringify(view.search) === same);
  return (
    <>
      <Menu position="bottom-start" withinPortal={false}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={15} />}>
            {current?.name ?? t("views.title")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {views.length === 0 && <Menu.Item disabled>{t("views.none")}</Menu.Item>}
          {views.map((view) => (
            <Menu.Item key={view.id} onClick={() => onChosen(view.search)}>
              {view.name} {view.shared && <span className="quiet">{t("views.by", { name: view.owner })}</span>}
            </Menu.Item>
          ))}
          <Menu.Item disabled={Object.keys(search).length === 0} onClick={() => setNaming(true)}>
            {t("views.save")}
          </Menu.Item>
          {current?.mine && (
            <Menu.Item leftSection={<IconTrash size={14} />} onClick={() => remove.mutate(current)}>
              {t("views.remove", { name: current.name })}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal closeButtonProps={{ "aria-label": t("close") }} opened={naming} onClose={() => setNaming(false)} title={t("views.save")}>
        {naming && <Naming saving={save.isPending} onSaved={(name, shared) => save.mutate({ name, shared, search })} />}
      </Modal>
    </>
  );
}

function Naming({ saving, onSaved }: { saving: boolean; onSaved: (name: string, shared: boolean) => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) onSaved(name.trim(), shared);
  };
  return (
    <form onSubmit={submit}>
      <TextInput label={t("views.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={100} required data-autofocus />
      <Switch mt="sm" size="xs" label={t("views.shared")} checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} />
      <Button type="submit" mt="md" loading={saving}>
        {t("views.do")}
      </Button>
    </form>
  );
}
