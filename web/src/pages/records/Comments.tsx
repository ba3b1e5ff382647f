import { Button, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { notifyFailed } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Time } from "@/components/Time";
import { commentsQuery } from "./queries";
import css from "./Records.module.css";

/** What people wrote about a record. */
export function Comments({ table, recordId }: { table: string; recordId: string }) {
  const { t } = useTranslation("records");
  const queryClient = useQueryClient();
  const [text, setText] = useState("");
  const { data, error } = useQuery(commentsQuery(table, recordId));
  const add = useMutation({
    mutationFn: (said: string) =>
      got(
        api.POST("/tables/{tableId}/records/{recordId}/comments", {
          params: { path: { tableId: table, recordId }, header: { "Idempotency-Key": idempotencyKey() } },
          body: { text: said },
        }),
      ),
    onSuccess: () => setText(""),
    onError: notifyFailed,
    onSettled: () => queryClient.invalidateQueries({ queryKey: commentsQuery(table, recordId).queryKey }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) add.mutate(text.trim());
  };
  if (error) return <Failure error={error} />;
  if (!data) return <Loading />;
  return (
    <div className={css.narrow}>
      <ul className={css.lines}>
        {data.data.map((one) => (
          <li key={one.id}>
            <div className="quiet">
              {one.by} · <Time at={one.at} />
            </div>
            <p className={css.said}>{one.text}</p>
          </li>
        ))}
      </ul>
      {data.data.length === 0 && <p className="quiet">{t("comments.none")}</p>}
      <form onSubmit={submit}>
        <Textarea label={t("comments.label")} value={text} onChange={(event) => setText(event.currentTarget.value)} autosize minRows={2} maxLength={10_000} />
        <Allowed by="can_comment" reason={text.trim() ? undefined : t("comments.empty")}>
          <Button type="submit" mt="sm" loading={add.isPending}>
            {t("comments.add")}
          </Button>
        </Allowed>
      </form>
    </div>
  );
}
