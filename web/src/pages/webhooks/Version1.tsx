import { Button } from "@mantine/core";
import { IconMoodSmile } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Notice } from "@/components/Notice";
import { Time } from "@/components/Time";
import css from "./Webhooks.module.css";

type Use = Schemas["UseAnswer"];

interface Client {
  key: string;
  endpoint: string;
  lastDay: string;
  uses: number;
  refused: number;
}

/** Who still calls version 1 of the API: which key, which endpoint, when last. */
export function Version1() {
  const { t } = useTranslation("webhooks");
  const mode = useQuery({ queryKey: ["deprecations", "mode"], queryFn: () => got(api.GET("/deprecations/mode")) });
  const uses = useInfiniteQuery({
    queryKey: ["deprecations", "uses"],
    queryFn: ({ pageParam }) => got(api.GET("/deprecations", { params: { query: { limit: 500, ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
  if (uses.error) return <Failure error={uses.error} />;
  if (!uses.data || !mode.data) return <Loading />;
  const clients = grouped(uses.data.pages.flatMap((page) => page.data));
  return (
    <>
      <Notice tone={mode.data.mode === "on" ? "busy" : "warn"} title={t(`v1.mode.${mode.data.mode}`)}>
        {mode.data.nextBrownout && (
          <>
            {t("v1.brownout")} <Time at={mode.data.nextBrownout.begins} /> – <Time at={mode.data.nextBrownout.ends} />.{" "}
          </>
        )}
        <a href={mode.data.guide}>{t("v1.guide")}</a>
      </Notice>
      {clients.length === 0 ? (
        <Empty icon={IconMoodSmile} title={t("v1.none")} text={t("v1.noneText")} />
      ) : (
        <div className={css.scroll} tabIndex={0} role="region" aria-label={t("v1.title")}>
          <table className={css.table}>
            <caption className={css.unseen}>{t("v1.title")}</caption>
            <thead>
              <tr>
                <th scope="col">{t("v1.key")}</th>
                <th scope="col">{t("v1.endpoint")}</th>
                <th scope="col">{t("v1.last")}</th>
                <th scope="col">{t("v1.uses")}</th>
                <th scope="col">{t("v1.refused")}</th>
              </tr>
            </thead>
            <tbody>
              {clients.map((one) => (
                <tr key={`${one.key} ${one.endpoint}`}>
                  <td>{one.key}</td>
                  <td className="mono">{one.endpoint}</td>
                  <td className="numbers">{one.lastDay}</td>
                  <td className="numbers">{one.uses}</td>
                  <td className="numbers">{one.refused}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {uses.hasNextPage && (
        <Button variant="default" mt="sm" loading={uses.isFetchingNextPage} onClick={() => void uses.fetchNextPage()}>
          {t("v1.earlier")}
        </Button>
      )}
    </>
  );
}

/** Uses of all days by key and endpoint, the latest first. */
function grouped(uses: readonly Use[]): Client[] {
  const found = new Map<string, Client>();
  for (const use of uses) {
    const place = `${use.keyId} ${use.endpoint}`;
    const before = found.get(place) ?? { key: use.key, endpoint: use.endpoint, lastDay: use.day, uses: 0, refused: 0 };
    const lastDay = use.day > before.lastDay ? use.day : before.lastDay;
    found.set(place, { ...before, lastDay, uses: before.uses + use.uses, refused: before.refused + use.refused });
  }
  return [...found.values()].sort((a, b) => b.lastDay.localeCompare(a.lastDay));
}
