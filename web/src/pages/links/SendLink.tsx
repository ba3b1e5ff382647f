import { Button, Group, Modal, Select, Stack, Switch, TextInput } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey, type Schemas } from "@/api/client";
import { useMe } from "@/app/auth";
import { Allowed } from "@/components/Allowed";
import { CopyButton } from "@/components/CopyButton";
import { definitionChoiceQuery } from "@/components/definitions";
import { Failure } from "@/components/Failure";
import { localized } from "@/components/localized";
import { Notice } from "@/components/Notice";

type Definition = Schemas["DefinitionAnswer"];

const LANGUAGES = ["en", "pl", "ar", "cs", "de", "es", "fr", "it", "ro", "uk"];

interface Props {
  /** Open it at once, addressed to whoever is signed in: the end of the tour. */
  toMyself?: boolean;
  onClosed?: () => void;
}

/** Sends somebody a link to a definition that has steps for an end user. */
export function SendLink({ toMyself = false, onClosed }: Props) {
  const { t } = useTranslation(["links", "common"]);
  const [opened, setOpened] = useState(toMyself);
  const close = () => {
    setOpened(false);
    onClosed?.();
  };
  return (
    <>
      {!toMyself && (
        <Allowed by="can_run">
          <Button leftSection={<IconSend size={15} />} onClick={() => setOpened(true)}>
            {t("send.open")}
          </Button>
        </Allowed>
      )}
      <Modal closeButtonProps={{ "aria-label": t("common:close") }} opened={opened} onClose={close} title={t("send.title")}>
        {opened && <Sending toMyself={toMyself} />}
      </Modal>
    </>
  );
}

function Sending({ toMyself }: { toMyself: boolean }) {
  const { t, i18n } = useTranslation("links");
  const me = useMe();
  const queryClient = useQueryClient();
  const { data } = useQuery(definitionChoiceQuery);
  const interactive = (data?.data ?? []).filter((one) => one.executionType === "INTERACTIVE" && one.published);
  const [chosen, setChosen] = useState<string | null>(null);
  const [email, setEmail] = useState(toMyself ? me.email : "");
  const [mailed, setMailed] = useState(true);
  const [language, setLanguage] = useState<string | null>(null);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const definition = interactive.find((one) => one.id === chosen) ?? (toMyself ? interactive[0] : undefined);
  const send = useMutation({
    mutationFn: async () => {
      const body = {
        workflowDefinitionId: definition!.id,
        parameters: values(definition!, typed),
        ...(language && { lang: language }),
        ...(email.trim() && { email: email.trim() }),
      };
      const params = { header: { "Idempotency-Key": idempotencyKey() } };
      const made = mailed
        ? await got(api.POST("/link/send", { params, body: body as never }))
        : await got(api.POST("/link", { params, body: body as never }));
      return made;
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["links"] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (definition) send.mutate();
  };
  if (send.data) {
    return (
      <>
        <Notice tone="busy" title={mailed ? t("send.sent", { to: email }) : t("send.made")}>
          {t("send.once")}
        </Notice>
        <code style={{ overflowWrap: "anywhere" }}>{send.data.link}</code> <CopyButton value={send.data.link} what={t("send.link")} />
        <p>
          <Link to="/executions/$executionId" params={{ executionId: send.data.workflowId }}>
            {t("send.execution")}
          </Link>
        </p>
      </>
    );
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Select
          label={t("send.what")}
          data={interactive.map((one) => ({ value: one.id, label: localized(one.title, i18n.language) || one.name }))}
          value={definition?.id ?? null}
          onChange={setChosen}
          searchable
          required
          openOnFocus={false}
          data-autofocus
        />
        {data && interactive.length === 0 && <p className="quiet">{t("send.nothing")}</p>}
        <Switch size="xs" label={t("send.mail")} checked={mailed} onChange={(event) => setMailed(event.currentTarget.checked)} />
        <TextInput
          type="email"
          label={t("send.to")}
          description={mailed ? undefined : t("send.codes")}
          required={mailed}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <Select
          label={t("send.language")}
          placeholder={t("send.theirs")}
          data={LANGUAGES.map((code) => ({ value: code, label: new Intl.DisplayNames(i18n.language, { type: "language" }).of(code) ?? code }))}
          value={language}
          onChange={setLanguage}
          searchable
          clearable
        />
        {definition?.parameters.map((parameter) => (
          <TextInput
            key={parameter.name}
            label={localized(parameter.title, i18n.language) || parameter.name}
            description={parameter.type}
            required={parameter.required}
            placeholder={parameter.default === null || parameter.default === undefined ? "" : JSON.stringify(parameter.default)}
            value={typed[parameter.name] ?? ""}
            onChange={(event) => setTyped({ ...typed, [parameter.name]: event.currentTarget.value })}
          />
        ))}
        {send.isError && <Failure error={send.error} />}
        <Group justify="flex-end">
          <Button type="submit" disabled={!definition} loading={send.isPending} leftSection={<IconSend size={15} />}>
            {mailed ? t("send.do") : t("send.make")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What was typed, by its type; what cannot be read is sent as it stands, and the server names the mistake. */
function values(definition: Definition, typed: Record<string, string>): Record<string, unknown> {
  const found = definition.parameters.flatMap(({ name, type }) => {
    const text = typed[name]?.trim();
    return text ? [[name, asValue(type, text)] as const] : [];
  });
  return Object.fromEntries(found);
}

function asValue(type: string, text: string): unknown {
  if (type === "string") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
