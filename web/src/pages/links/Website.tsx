import { Button, Code, TagsInput } from "@mantine/core";
import { useMutation, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { under } from "@/app/prefix";
import { Allowed } from "@/components/Allowed";
import { notifyDone } from "@/components/confirm";
import { CopyButton } from "@/components/CopyButton";
import { Failure } from "@/components/Failure";
import { Section } from "@/components/Section";
import { asBody, themeQuery } from "./theme";
import css from "./Links.module.css";

/** The widget in one's own site: which sites may show it, and what stands in their pages. */
export function Website() {
  const { t } = useTranslation("links");
  const queryClient = useQueryClient();
  const { data: theme } = useSuspenseQuery(themeQuery);
  const [origins, setOrigins] = useState(theme.allowedOrigins);
  const [targets, setTargets] = useState(theme.redirectTargets);
  const save = useMutation({
    mutationFn: () => got(api.PUT("/theme", { body: { ...asBody(theme), allowedOrigins: origins, redirectTargets: targets } })),
    onSuccess: (saved) => {
      queryClient.setQueryData(themeQuery.queryKey, saved);
      notifyDone(t("website.saved"));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const same = JSON.stringify([origins, targets]) === JSON.stringify([theme.allowedOrigins, theme.redirectTargets]);
  const base = location.origin + under("");
  return (
    <div className={css.website}>
      <Section title={t("website.allowed")}>
        <form onSubmit={submit} className={css.origins}>
          <TagsInput label={t("website.origins")} description={t("website.originsHint")} placeholder="https://app.example.com" value={origins} onChange={setOrigins} splitChars={[",", " "]} size="xs" />
          <TagsInput label={t("website.targets")} description={t("website.targetsHint")} placeholder="https://app.example.com/welcome" value={targets} onChange={setTargets} splitChars={[",", " "]} size="xs" />
          {save.isError && <Failure error={save.error} />}
          <div>
            <Allowed by="can_manage_themes" reason={same ? t("theme.same") : undefined}>
              <Button type="submit" loading={save.isPending}>
                {t("website.save")}
              </Button>
            </Allowed>
          </div>
        </form>
      </Section>
      <Snippet
        title={t("website.token")}
        text={t("website.tokenText")}
        code={`curl -s ${base}/token -H "Authorization: Bearer $PASSERELLE_TOKEN" \\\n  -H 'Accept: application/json;version=2' -H 'Content-Type: application/json' \\\n  -d '{"workflowDefinitionId": "…"}'`}
      />
      <Snippet
        title={t("website.inline")}
        text={t("website.inlineText")}
        code={`<script src="${base}/widget.js" async></script>\n<passerelle-widget token="TOKEN" inline auto-height></passerelle-widget>`}
      />
      <Snippet
        title={t("website.modal")}
        text={t("website.modalText")}
        code={`<script>\n  window.transactionlink_ready = () => {\n    transactionlink.setOptions({ token: "TOKEN" });\n    document.querySelector("#open").onclick = () => transactionlink.open();\n  };\n</script>\n<script src="${base}/widget.js" async></script>\n<button id="open">Open an account</button>`}
      />
    </div>
  );
}

function Snippet({ title, text, code }: { title: string; text: string; code: string }) {
  return (
    <Section title={title} actions={<CopyButton value={code} what={title} />}>
      <p className="quiet">{text}</p>
      <Code block tabIndex={0} role="group" aria-label={title} className={css.code}>
        {code}
      </Code>
    </Section>
  );
}
