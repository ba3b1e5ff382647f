import { Button, Mentions } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey } from "@/api/client";
import { useMay } from "@/app/auth";
import { Allowed } from "./Allowed";
import { notifyFailed } from "./confirm";
import { useDraft } from "./draft";
import { peopleQuery } from "./people";
import { Section } from "./Section";
import { Time } from "./Time";
import css from "./ExecutionComments.module.css";

const SHOWN = 20;
const LOOK_AGAIN = 60_000;
/** Somebody who is mentioned, as the field writes it: name and id. */
const MENTION = /@\[([^\]]+)\]\(([0-9a-f-]+)\)/g;

/** What people wrote about an execution. Whoever is mentioned gets a mail that leads here. */
export function ExecutionComments({ executionId }: { executionId: string }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const may = useMay("can_view_executions");
  const [draft, setDraft] = useDraft(`comment ${executionId}`);
  const { data: people } = useQuery(peopleQuery);
  const queryKey = ["executions", executionId, "comments"];
  const { data, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) =>
      got(
        api.GET("/workflows/{workflowId}/comments", {
          params: { path: { workflowId: executionId }, query: { limit: SHOWN, ...(pageParam && { after: pageParam }) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: LOOK_AGAIN,
    enabled: may,
  });
  const add = useMutation({
    mutationFn: (said: { text: string; mentions: string[] }) =>
      got(
        api.POST("/workflows/{workflowId}/comments", {
          params: { path: { workflowId: executionId }, header: { "Idempotency-Key": idempotencyKey() } },
          body: said,
        }),
      ),
    onSuccess: () => setDraft(""),
    onError: notifyFailed,
    onSettled: () => queryClient.invalidateQueries({ queryKey }),
  });
  const text = draft.replaceAll(MENTION, "@$1").trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const mentions = [...draft.matchAll(MENTION)].flatMap(([, , id]) => (id ? [id] : []));
    if (text) add.mutate({ text, mentions: [...new Set(mentions)] });
  };
  if (!may) return null;
  const comments = data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <Section title={t("comments.title")}>
      <form onSubmit={submit}>
        <Mentions
          size="xs"
          label={t("comments.label")}
          description={t("comments.hint")}
          a11ySuggestionsListLabel={t("comments.people")}
          nothingFoundMessage={t("comments.nobody")}
          value={draft}
          onChange={({ value }) => setDraft(value)}
          minRows={2}
          comboboxProps={{ withinPortal: false }}
        >
          <Mentions.Mention
            trigger="@"
            withTrigger
            allowSpaceInQuery
            ignoreAccents
            maxSuggestions={8}
            data={(people?.data ?? []).map(({ id, name }) => ({ id, display: name }))}
          />
        </Mentions>
        <Allowed by="can_comment" reason={text ? undefined : t("comments.empty")}>
          <Button type="submit" mt="xs" variant="default" loading={add.isPending}>
            {t("comments.add")}
          </Button>
        </Allowed>
      </form>
      <ul className={css.comments}>
        {comments.map((one) => (
          <li key={one.id}>
            <div className={css.by}>
              <strong>{one.by}</strong>{" "}
              <span className="quiet">
                <Time at={one.at} />
              </span>
            </div>
            <p className={css.said}>{one.text}</p>
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <Button variant="subtle" onClick={() => void fetchNextPage()}>
          {t("list.more")}
        </Button>
      )}
    </Section>
  );
}
