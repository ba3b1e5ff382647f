import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";

import { CurlButton } from "@/components/CurlButton";
import { Loading } from "@/components/Loading";
import { Locked } from "@/components/Locked";
import { PageHeader } from "@/components/PageHeader";
import { PageTabs } from "@/components/PageTabs";
import { LinkTable } from "./LinkTable";
import { SendLink } from "./SendLink";
import { TABS, type Tab } from "./search";
import { Website } from "./Website";

const ThemeEditor = lazy(() => import("./ThemeEditor").then((file) => ({ default: file.ThemeEditor })));
const route = getRouteApi("/links");

/** How end users get in: links, the widget in one's own site, and how the pages look. */
export function LinksPage() {
  const { t } = useTranslation("links");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const show = (tab: Tab) => void navigate({ search: tab === "links" ? {} : { tab }, replace: true });
  return (
    <>
      <PageHeader
        title={t("title")}
        below={t("below")}
        actions={
          <>
            <CurlButton
              calls={[
                { text: t("tab.links"), call: { path: "/link" } },
                { text: t("tab.theme"), call: { path: "/theme" } },
              ]}
            />
            <SendLink />
          </>
        }
      />
      <PageTabs
        label={t("parts")}
        value={search.tab ?? "links"}
        onChange={show}
        tabs={TABS}
        nameOf={(tab) => t(`tab.${tab}`)}
        panels={{
          links: (
            <Locked by="can_manage_links">
              <LinkTable definition={search.definition} onDefinition={(definition) => void navigate({ search: definition ? { definition } : {}, replace: true })} />
            </Locked>
          ),
          website: <Website />,
          theme: (
            <Suspense fallback={<Loading />}>
              <ThemeEditor />
            </Suspense>
          ),
        }}
      />
    </>
  );
}
