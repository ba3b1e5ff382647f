import { Button, Modal, Select, Text } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, idempotencyKey } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { CopyButton } from "@/components/CopyButton";
import { Failure } from "@/components/Failure";
import { localized } from "@/components/localized";
import type { Table } from "./types";

interface Started {
  id: string;
  link?: string;
}

/** Starts an execution that concerns a record; where an end user takes part, shows the link. */
export function StartExecution({ table, recordId }: { table: Table; recordId: string }) {
  const { t, i18n } = useTranslation("records");
  const [opened, setOpened] = useState(false);
  const [definition, setDefinition] = useState<string | null>(null);
  const { data: definitions } = useQuery({
    queryKey: ["definitions", "choice"],
    queryFn: () => got(api.GET("/definitions", { params: { query: { limit: 500 } } })),
    enabled: opened,
  });
  const start = useMutation({
    mutationFn: async (id: string) =>
      (await got(
        api.POST("/workflows", {
          params: { header: { "Idempotency-Key": idempotencyKey() } },
          body: { workflowDefinitionId: id, recordId } as never,
        }),
      )) as unknown as Started,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (definition) start.mutate(definition);
  };
  const close = () => {
    setOpened(false);
    start.reset();
  };
  return (
    <>
      <Allowed by="can_run">
        <Button leftSection={<IconPlayerPlay size={15} />} onClick={() => setOpened(true)}>
          {t("start.open")}
        </Button>
      </Allowed>
      <Modal opened={opened} onClose={close} title={t("start.title")}>
        {start.data ? (
          <>
            <Text size="sm">{start.data.link ? t("start.withLink") : t("start.done")}</Text>
            {start.data.link && (
              <p className="mono">
                {start.data.link} <CopyButton value={start.data.link} what={t("start.link")} />
              </p>
            )}
            <Link to="/executions/$executionId" params={{ executionId: start.data.id }}>
              {t("start.see")}
            </Link>
          </>
        ) : (
          <form onSubmit={submit}>
            {start.error && <Failure error={start.error} />}
            <Select
              label={t("start.definition")}
              description={t("start.hint", { table: table.name })}
              data={(definitions?.data ?? []).map((one) => ({ value: one.id, label: localized(one.title, i18n.language) || one.name }))}
              value={definition}
              onChange={setDefinition}
              searchable
              data-autofocus
            />
            <Button type="submit" mt="md" loading={start.isPending} disabled={!definition}>
              {t("start.do")}
            </Button>
          </form>
        )}
      </Modal>
    </>
  );
}
