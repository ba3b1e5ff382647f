import { Radio, Stack, Switch } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMay, useWhyNot } from "@/app/auth";
import { confirm, notifyDone, notifyFailed } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { PageHeader } from "@/components/PageHeader";
import { sourceQuery } from "../builder/queries";
import { proven } from "./proof";

const BY = "can_manage_workspace_access";
const CHOICES = { two: true, one: false, default: null } as const;
type Choice = keyof typeof CHOICES;

/** How many persons it takes to publish a definition here. */
export function PublishingPage() {
  const { t } = useTranslation(["settings", "common"]);
  const queryClient = useQueryClient();
  const may = useMay(BY);
  const whyNot = useWhyNot(BY);
  const queryKey = ["publishing"];
  const { data, error } = useQuery({ queryKey, queryFn: () => got(api.GET("/publishing")) });
  const change = useMutation({
    mutationFn: (choice: Choice) => proven(() => got(api.PUT("/publishing", { body: { secondPerson: CHOICES[choice] } }))),
    onSuccess: (rule) => {
      queryClient.setQueryData(queryKey, rule);
      notifyDone(t(rule.secondPerson ? "publishing.nowTwo" : "publishing.nowOne"));
    },
    onError: notifyFailed,
  });
  const choose = async (choice: Choice) => {
    if (data?.secondPerson && choice !== "two") {
      const sure = await confirm({ title: t("publishing.loosen.title"), text: t("publishing.loosen.text"), action: t("publishing.loosen.do"), dangerous: true });
      if (sure === undefined) return;
    }
    change.mutate(choice);
  };
  const chosen: Choice = data?.own === true ? "two" : data?.own === false ? "one" : "default";
  return (
    <>
      <PageHeader title={t("publishing.title")} below={t("publishing.text")} />
      {error && <Failure error={error} />}
      {!error && !data && <Loading />}
      {data && (
        <Radio.Group
          label={t("publishing.label")}
          description={may ? undefined : t("common:forbidden", { permission: BY, reason: whyNot ?? "" })}
          value={change.isPending ? change.variables : chosen}
          onChange={(value) => void choose(value)}
        >
          <Stack mt="sm" gap="sm">
            {(Object.keys(CHOICES) as Choice[]).map((choice) => (
              <Radio
                key={choice}
                value={choice}
                disabled={!may || change.isPending}
                label={t(`publishing.choice.${choice}`)}
                description={t(`publishing.choiceText.${choice}`)}
              />
            ))}
          </Stack>
        </Radio.Group>
      )}
      <FilesOnly may={may} />
      <p>
        <Link to="/definitions">{t("publishing.definitions")}</Link>
      </p>
    </>
  );
}

/** Whether definitions come from files only: then the builder keeps nothing, and gives a patch. */
function FilesOnly({ may }: { may: boolean }) {
  const { t } = useTranslation("settings");
  const queryClient = useQueryClient();
  const { data } = useQuery(sourceQuery);
  const change = useMutation({
    mutationFn: (filesOnly: boolean) => got(api.PUT("/definitions/source", { body: { filesOnly } })),
    onSuccess: (source) => queryClient.setQueryData(sourceQuery.queryKey, source),
    onError: notifyFailed,
  });
  if (!data) return null;
  return (
    <Switch
      mt="lg"
      label={t("publishing.filesOnly")}
      description={t("publishing.filesOnlyText")}
      checked={change.isPending ? change.variables : data.filesOnly}
      disabled={!may || change.isPending}
      onChange={(event) => change.mutate(event.currentTarget.checked)}
    />
  );
}
