import { Button, Checkbox, Group, Modal, NumberInput, Radio, Stack } from "@mantine/core";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Reasoned } from "@/components/Allowed";
import { notifyDone } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Notice } from "@/components/Notice";
import { proven } from "./proof";
import { ARCHIVED, daysOf, EVER, keptFor, RETENTION_KEY, rulesWith } from "./retention";
import css from "./Settings.module.css";

type Kept = Schemas["KeptAnswer"];
const CHOICES = ["default", "ever", "days"] as const;
type Choice = (typeof CHOICES)[number];
const MOST = 3650;

interface Props {
  kept: Kept;
  all: readonly Kept[];
  name: string;
  onClose: () => void;
}

/** How long one kind is kept here; first of all, what that would remove. */
export function KeepFor({ kept, all, name, onClose }: Props) {
  const { t, i18n } = useTranslation(["admin", "common"]);
  const queryClient = useQueryClient();
  const least = daysOf(kept.least ?? "1d");
  const [choice, setChoice] = useState<Choice>(!kept.own ? "default" : kept.lasts === null ? "ever" : "days");
  const [days, setDays] = useState<number | string>(kept.lasts === null ? Math.max(365, least) : daysOf(kept.lasts));
  const [archive, setArchive] = useState(kept.archive);
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const archivable = choice === "days" && ARCHIVED.some((one) => one === kept.kind);
  const wrong = choice === "days" && !(Number.isInteger(days) && Number(days) >= least && Number(days) <= MOST) ? t("admin:retention.needsDays", { least, most: MOST }) : undefined;
  const body = rulesWith(all, kept.kind, choice === "default" ? null : choice === "ever" ? EVER : `${days}d`, archivable && archive);
  const save = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      queryClient.setQueryData(RETENTION_KEY, await proven(() => got(api.PUT("/retention", { body }))));
      notifyDone(t("admin:retention.done", { what: name }));
      onClose();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!wrong) void save();
  };
  return (
    <Modal closeButtonProps={{ "aria-label": t("common:close") }} opened onClose={onClose} closeOnClickOutside={false} title={t("admin:retention.changeNamed", { what: name })}>
      <form onSubmit={submit} className={css.form}>
        <Radio.Group label={t("admin:retention.keep", { what: name })} value={choice} onChange={setChoice}>
          <Stack mt="sm" gap="sm">
            {CHOICES.map((one) => (
              <Radio key={one} value={one} label={t(`admin:retention.choice.${one}`, { usual: keptFor(kept.usual, t, i18n.language) })} />
            ))}
          </Stack>
        </Radio.Group>
        {choice === "days" && (
          <NumberInput label={t("admin:retention.days")} min={least} max={MOST} allowDecimal={false} value={days} onChange={setDays} error={wrong} />
        )}
        {archivable && (
          <Checkbox
            label={t("admin:retention.archive")}
            description={t("admin:retention.archiveText")}
            checked={archive}
            onChange={(event) => setArchive(event.currentTarget.checked)}
          />
        )}
        {!wrong && <WouldGo kind={kept.kind} body={body} />}
        {failure !== undefined && <Failure error={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("common:confirm.no")}
          </Button>
          <Reasoned reason={wrong}>
            <Button type="submit" loading={busy}>
              {t("admin:retention.save")}
            </Button>
          </Reasoned>
        </Group>
      </form>
    </Modal>
  );
}

function WouldGo({ kind, body }: { kind: string; body: Schemas["RetentionBody"] }) {
  const { t, i18n } = useTranslation("admin");
  const query = useQuery({
    queryKey: ["settings", "retention-preview", body],
    queryFn: () => got(api.POST("/retention/preview", { body })),
    placeholderData: keepPreviousData,
  });
  if (query.error) return <Failure error={query.error} />;
  const found = query.data?.data.find((one) => one.kind === kind);
  if (!found) return <p role="status">{t("retention.counting")}</p>;
  const number = (count: number) => new Intl.NumberFormat(i18n.language).format(count);
  const held = found.held > 0 && <p>{t("retention.held", { count: found.held, number: number(found.held) })}</p>;
  if (found.removed === 0 && !found.more)
    return (
      <div role="status">
        <p>{t("retention.nothingGoes")}</p>
        {held}
      </div>
    );
  return (
    <Notice tone="warn" title={t(found.more ? "retention.goesMore" : "retention.goes", { count: found.removed, number: number(found.removed) })} alert>
      <p>{t("retention.goesText")}</p>
      {held}
    </Notice>
  );
}
