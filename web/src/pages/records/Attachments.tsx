import { ActionIcon, Button, FileButton } from "@mantine/core";
import { IconDownload, IconPaperclip, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { confirm, notifyFailed } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Time } from "@/components/Time";
import { Documents } from "@/pages/reviews/Documents";
import { attachmentsQuery } from "./queries";
import css from "./Records.module.css";

/** A record's files. */
export function Attachments({ table, recordId }: { table: string; recordId: string }) {
  const { t, i18n } = useTranslation("records");
  const queryClient = useQueryClient();
  const query = attachmentsQuery(table, recordId);
  const { data, error } = useQuery(query);
  const path = { tableId: table, recordId };
  const settled = () => queryClient.invalidateQueries({ queryKey: query.queryKey });
  const add = useMutation({
    mutationFn: (file: File) => {
      const form = new FormData();
      form.append("file", file);
      return got(api.POST("/tables/{tableId}/records/{recordId}/attachments", { params: { path }, body: form as never, bodySerializer: (body) => body }));
    },
    onError: notifyFailed,
    onSettled: settled,
  });
  const remove = useMutation({
    mutationFn: (attachmentId: string) =>
      got(api.DELETE("/tables/{tableId}/records/{recordId}/attachments/{attachmentId}", { params: { path: { ...path, attachmentId } } })),
    onError: notifyFailed,
    onSettled: settled,
  });
  const open = async (attachmentId: string) => {
    try {
      const { link } = await got(
        api.GET("/tables/{tableId}/records/{recordId}/attachments/{attachmentId}", { params: { path: { ...path, attachmentId } } }),
      );
      window.open(link, "_blank", "noopener");
    } catch (refused) {
      notifyFailed(refused);
    }
  };
  const askRemove = async (attachmentId: string, name: string) => {
    const sure = await confirm({ title: t("attachments.removeTitle", { name }), text: t("attachments.removeText"), action: t("attachments.remove"), dangerous: true });
    if (sure !== undefined) remove.mutate(attachmentId);
  };
  if (error) return <Failure error={error} />;
  if (!data) return <Loading />;
  return (
    <div className={css.narrow}>
      <ul className={css.lines}>
        {data.data.map((one) => (
          <li key={one.id} className={css.execution}>
            <span>{one.name}</span>
            <span className="quiet numbers">{sizeOf(one.size, i18n.language)}</span>
            <Time at={one.createdDateTime} />
            <ActionIcon variant="subtle" aria-label={t("attachments.open", { name: one.name })} onClick={() => void open(one.id)}>
              <IconDownload size={16} />
            </ActionIcon>
            <Allowed by="can_edit_attachments">
              <ActionIcon variant="subtle" color="red" aria-label={t("attachments.removeOne", { name: one.name })} onClick={() => void askRemove(one.id, one.name)}>
                <IconTrash size={16} />
              </ActionIcon>
            </Allowed>
          </li>
        ))}
      </ul>
      <Documents documents={data.data.map((one) => ({ resourceId: one.id, resourceName: one.name, type: one.type }))} />
      {data.data.length === 0 && <p className="quiet">{t("attachments.none")}</p>}
      <FileButton onChange={(file) => file && add.mutate(file)}>
        {(props) => (
          <Allowed by="can_edit_attachments">
            <Button {...props} variant="default" leftSection={<IconPaperclip size={15} />} loading={add.isPending}>
              {t("attachments.add")}
            </Button>
          </Allowed>
        )}
      </FileButton>
    </div>
  );
}

function sizeOf(bytes: number, language: string): string {
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kilobyte"] : [bytes / 1e6, "megabyte"];
  return new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: 1 }).format(value);
}
