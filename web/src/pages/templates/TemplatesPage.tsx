import { Button, Code, Modal, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { under } from "@/app/prefix";
import { CurlButton } from "@/components/CurlButton";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { localized } from "@/components/localized";
import { PageHeader } from "@/components/PageHeader";
import { Making } from "./Making";
import css from "./Templates.module.css";

type Template = Schemas["TemplateAnswer"];

const route = getRouteApi("/definitions/templates");

/** Ready onboardings, a card each; one that is used says first what it makes. */
export function TemplatesPage() {
  const { t } = useTranslation("templates");
  const { use } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error } = useQuery({ queryKey: ["templates"], queryFn: () => got(api.GET("/templates")), staleTime: Infinity });
  const used = data?.data.find((one) => one.name === use);
  return (
    <>
      <PageHeader
        title={t("title")}
        above={<Link to="/definitions">{t("above")}</Link>}
        below={t("below")}
        actions={<CurlButton calls={[{ text: t("title"), call: { path: "/templates" } }]} />}
      />
      {error && <Failure error={error} />}
      {!error && !data && <Loading />}
      <ul className={css.cards}>
        {data?.data.map((one) => (
          <Card key={one.name} template={one} onUse={() => void navigate({ search: { use: one.name } })} />
        ))}
      </ul>
      {used && <UseDialog template={used} onClose={() => void navigate({ search: {}, replace: true })} />}
    </>
  );
}

function Card({ template, onUse }: { template: Template; onUse: () => void }) {
  const { t, i18n } = useTranslation("templates");
  const title = localized(template.title, i18n.language);
  return (
    <li className={css.card}>
      <img className={css.picture} src={under(`/templates/${template.name}/picture`)} alt="" width={360} height={516} loading="lazy" />
      <div className={css.words}>
        <h2 className={css.name}>{title}</h2>
        <p className={css.text}>{localized(template.text, i18n.language)}</p>
        <p className="quiet">{t("facts", { steps: template.steps, tables: template.tables.join(", ") })}</p>
        <Button variant="light" onClick={onUse} aria-label={t("useNamed", { title })}>
          {t("use")}
        </Button>
      </div>
    </li>
  );
}

function UseDialog({ template, onClose }: { template: Template; onClose: () => void }) {
  const { t, i18n } = useTranslation(["templates", "common"]);
  const { data, error } = useQuery({
    queryKey: ["templates", template.name],
    queryFn: () => got(api.GET("/templates/{name}", { params: { path: { name: template.name } } })),
    staleTime: Infinity,
  });
  const texts = data && [
    { id: "definition", title: t("definition"), text: data.definition },
    { id: "scenarios", title: t("scenarios"), text: data.scenarios },
    ...data.tables.map((table) => ({ id: table.name, title: t("table", { table: table.name }), text: table.text })),
  ];
  return (
    <Modal opened onClose={onClose} size="xl" title={localized(template.title, i18n.language)} closeButtonProps={{ "aria-label": t("common:close") }}>
      {error && <Failure error={error} />}
      {!error && !data && <Loading />}
      {data && <Making name={data.name} text={data.definition} tables={data.tables} scenarios={data.scenarios} />}
      {texts && (
        <Tabs defaultValue="definition" keepMounted={false} mt="lg">
          <Tabs.List mb="sm" aria-label={t("texts")}>
            {texts.map(({ id, title }) => (
              <Tabs.Tab key={id} value={id}>
                {title}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {texts.map(({ id, title, text }) => (
            <Tabs.Panel key={id} value={id}>
              <Code block className={css.source} tabIndex={0} role="region" aria-label={title}>
                {text}
              </Code>
            </Tabs.Panel>
          ))}
        </Tabs>
      )}
    </Modal>
  );
}
