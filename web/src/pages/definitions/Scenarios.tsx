import { Button, FileButton, Group, Textarea } from "@mantine/core";
import { IconDeviceFloppy, IconFileUpload, IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { notifyDone } from "@/components/confirm";
import { useDraft } from "@/components/draft";
import { Failure } from "@/components/Failure";
import { Notice } from "@/components/Notice";
import { Outcomes } from "./Outcomes";
import { keepScenarios, scenariosQuery } from "./queries";
import css from "./Definitions.module.css";

/** Scenarios, played against a revision: nothing is called, sent or kept. */
export function Scenarios({ definitionId, name, revision }: { definitionId: string; name: string; revision: number }) {
  const { t } = useTranslation("definitions");
  const query = scenariosQuery(definitionId);
  const queryClient = useQueryClient();
  const { data: kept, error } = useQuery(query);
  const [raw, setRaw] = useDraft(`scenarios ${definitionId}`);
  const typed = typedFrom(raw);
  const text = typed?.text ?? kept?.scenarios ?? "";
  const restsOn = typed?.version ?? kept?.version ?? 0;
  const isOvertaken = typed !== undefined && kept !== undefined && kept.version !== typed.version;
  const setText = (next: string) => setRaw(next === kept?.scenarios ? "" : `${restsOn}\n${next}`);
  const keep = useMutation({
    mutationFn: (version: number) => keepScenarios(definitionId, text, version),
    onSuccess: (now) => {
      queryClient.setQueryData(query.queryKey, now);
      // What was typed meanwhile rests on what was kept.
      setRaw((newest) => (newest === raw ? "" : `${now.version}\n${typedFrom(newest)?.text ?? ""}`));
      notifyDone(t("scenarios.kept"));
    },
    onError: () => queryClient.invalidateQueries({ queryKey: query.queryKey }),
  });
  const play = useMutation({
    mutationFn: () =>
      got(
        api.POST("/definitions/{definitionId}/test", {
          params: { path: { definitionId } },
          body: { scenarios: text, revision },
        }),
      ),
  });
  const result = play.data;
  return (
    <div className={css.scenarios}>
      <div>
        <Textarea
          label={t("scenarios.label")}
          description={t("scenarios.hint", { name })}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          placeholder={t("scenarios.example")}
          autosize
          minRows={14}
          maxRows={34}
          spellCheck={false}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        />
        <Group mt="sm">
          <Allowed by="can_manage_definitions" reason={text.trim() ? undefined : t("scenarios.empty")}>
            <Button leftSection={<IconPlayerPlay size={15} />} loading={play.isPending} onClick={() => play.mutate()}>
              {t("scenarios.play", { revision })}
            </Button>
          </Allowed>
          <Allowed by="can_manage_definitions" reason={!typed ? t("scenarios.same") : isOvertaken ? t("scenarios.choose") : undefined}>
            <Button variant="default" leftSection={<IconDeviceFloppy size={15} />} loading={keep.isPending} onClick={() => keep.mutate(restsOn)}>
              {t("scenarios.keep")}
            </Button>
          </Allowed>
          <FileButton accept=".yaml,.yml,.json" onChange={(file) => void file?.text().then(setText)}>
            {(props) => (
              <Button {...props} variant="default" leftSection={<IconFileUpload size={15} />}>
                {t("scenarios.file")}
              </Button>
            )}
          </FileButton>
        </Group>
      </div>
      <div role="status" aria-label={t("scenarios.results")}>
        {error && <Failure error={error} />}
        {isOvertaken ? (
          <Notice tone="warn" title={t("scenarios.overtaken", { by: kept.updatedBy ?? "?" })}>
            <Group gap="xs">
              <Button size="compact-sm" variant="default" onClick={() => setRaw("")}>
                {t("scenarios.theirs")}
              </Button>
              <Button size="compact-sm" loading={keep.isPending} onClick={() => keep.mutate(kept.version)}>
                {t("scenarios.mine")}
              </Button>
            </Group>
          </Notice>
        ) : (
          keep.isError && <Failure error={keep.error} />
        )}
        {play.isError && <Failure error={play.error} />}
        {result && <Outcomes result={result} />}
      </div>
    </div>
  );
}

/** What was typed and not kept yet: the version of the kept scenarios that it rests on, and the text. */
function typedFrom(raw: string): { version: number; text: string } | undefined {
  const [, version, text] = /^(\d+)\n([^]*)$/.exec(raw) ?? [];
  return version === undefined ? undefined : { version: Number(version), text: text! };
}
