import { Button, Switch, TextInput } from "@mantine/core";
import { IconFlask, IconPlus, IconTrash, IconWebhook } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey, type Schemas } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { confirm, notifyDone, notifyFailed } from "@/components/confirm";
import { CopyButton } from "@/components/CopyButton";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Notice } from "@/components/Notice";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import css from "./Webhooks.module.css";

type Endpoint = Schemas["EndpointAnswer"];

const queryKey = ["webhooks", "endpoints"] as const;

/** Where events are sent to. */
export function Endpoints() {
  const { t } = useTranslation("webhooks");
  const { data, error } = useQuery({
    queryKey,
    queryFn: () => got(api.GET("/webhooks/endpoints", { params: { query: { limit: 100 } } })),
  });
  if (error) return <Failure error={error} />;
  if (!data) return <Loading />;
  return (
    <>
      {data.data.length === 0 && <Empty icon={IconWebhook} title={t("noEndpoint")} text={t("noEndpointText")} />}
      <ul className={css.cards}>
        {data.data.map((one) => (
          <Card key={one.id} endpoint={one} />
        ))}
      </ul>
      <NewEndpoint />
    </>
  );
}

function Card({ endpoint }: { endpoint: Endpoint }) {
  const { t } = useTranslation("webhooks");
  const queryClient = useQueryClient();
  const path = { endpointId: endpoint.id };
  const settled = () => queryClient.invalidateQueries({ queryKey });
  const toggle = useMutation({
    mutationFn: (paused: boolean) =>
      got(api.PATCH("/webhooks/endpoints/{endpointId}", { params: { path }, body: { paused } as never })),
    onError: notifyFailed,
    onSettled: settled,
  });
  const test = useMutation({
    mutationFn: () => got(api.POST("/webhooks/endpoints/{endpointId}/test", { params: { path } })),
    onSuccess: () => notifyDone(t("test.sent")),
    onError: notifyFailed,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["webhooks", "deliveries"] }),
  });
  const remove = useMutation({
    mutationFn: () => got(api.DELETE("/webhooks/endpoints/{endpointId}", { params: { path } })),
    onError: notifyFailed,
    onSettled: settled,
  });
  const askRemove = async () => {
    const sure = await confirm({ title: t("remove.title"), text: t("remove.text", { url: endpoint.url }), action: t("remove.do"), dangerous: true });
    if (sure !== undefined) remove.mutate();
  };
  const disabled = endpoint.status === "DISABLED";
  return (
    <li className={css.card}>
      <div className={css.cardHead}>
        <strong className={css.url}>{endpoint.url}</strong>
        <Tag
          tone={endpoint.failingSince || disabled ? "bad" : endpoint.status === "ACTIVE" ? "good" : "quiet"}
          text={endpoint.failingSince ? t("failing") : t(`endpoint.${disabled ? "DISABLED" : endpoint.status === "ACTIVE" ? "ACTIVE" : "PAUSED"}`)}
        />
      </div>
      {endpoint.description && <p className={css.line}>{endpoint.description}</p>}
      <p className={`${css.line} quiet`}>
        {endpoint.events.length > 0 ? endpoint.events.join(", ") : t("allEvents")} · {t("version", { version: endpoint.apiVersion })}
        {endpoint.failingSince && (
          <>
            {" "}
            · {t("failingSince")} <Time at={endpoint.failingSince} />
          </>
        )}
      </p>
      {endpoint.disabledReason && <Notice tone="bad">{endpoint.disabledReason}</Notice>}
      <div className={css.cardFoot}>
        <Allowed by="can_manage_webhooks">
          <Switch size="xs" label={t("enabled")} checked={endpoint.status === "ACTIVE"} onChange={(event) => toggle.mutate(!event.currentTarget.checked)} />
        </Allowed>
        <span className={css.grow} />
        <Allowed by="can_manage_webhooks">
          <Button variant="default" size="compact-sm" leftSection={<IconFlask size={14} />} loading={test.isPending} onClick={() => test.mutate()}>
            {t("test.do")}
          </Button>
        </Allowed>
        <Allowed by="can_manage_webhooks">
          <Button variant="default" size="compact-sm" leftSection={<IconTrash size={14} />} onClick={() => void askRemove()}>
            {t("remove.do")}
          </Button>
        </Allowed>
      </div>
    </li>
  );
}

function NewEndpoint() {
  const { t } = useTranslation("webhooks");
  const queryClient = useQueryClient();
  const [url, setUrl] = useState("");
  const add = useMutation({
    mutationFn: async (address: string) =>
      (await got(
        api.POST("/webhooks/endpoints", {
          params: { header: { "Idempotency-Key": idempotencyKey() } },
          // What this page shows of deliveries is version 2, whatever the key that somebody else made an endpoint with.
          body: { url: address, apiVersion: 2 } as never,
        }),
      )) as unknown as { secret: string },
    onSuccess: () => setUrl(""),
    onSettled: () => queryClient.invalidateQueries({ queryKey }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (url.trim()) add.mutate(url.trim());
  };
  return (
    <form onSubmit={submit} className={css.form}>
      <TextInput label={t("url")} type="url" value={url} onChange={(event) => setUrl(event.currentTarget.value)} error={add.error?.message} placeholder="https://" />
      <Allowed by="can_manage_webhooks" reason={url.trim() ? undefined : t("urlMissing")}>
        <Button type="submit" leftSection={<IconPlus size={15} />} loading={add.isPending}>
          {t("add")}
        </Button>
      </Allowed>
      {add.data && (
        <p role="status" className={css.secret}>
          {t("secret")} <code>{add.data.secret}</code> <CopyButton value={add.data.secret} what={t("secretName")} />
        </p>
      )}
    </form>
  );
}
