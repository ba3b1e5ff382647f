import { Button, Group } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMay } from "@/app/auth";
import { Allowed } from "@/components/Allowed";
import { notifyDone } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Notice } from "@/components/Notice";
import { tablesQuery } from "../records/queries";
import { changesTables, make, planOf, type NeededTable, type TablePlan } from "./making";
import css from "./Templates.module.css";

interface Props {
  name: string;
  text: string;
  tables: readonly NeededTable[];
  scenarios?: string;
}

/** What comes of it, and the button that does it: tables first, then the definition as a draft, then its page. */
export function Making({ name, text, tables, scenarios = "" }: Props) {
  const { t } = useTranslation(["templates", "common"]);
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const there = useQuery({ ...tablesQuery, enabled: tables.length > 0 });
  const { data: same } = useQuery({
    queryKey: ["definitions", "named", name],
    queryFn: async () => (await got(api.GET("/definitions", { params: { query: { limit: 500 } } }))).data.find((one) => one.name === name) ?? null,
  });
  const plan = planOf(tables, there.data ?? []);
  const mayTables = useMay("can_manage_tables");
  const push = useMutation({
    mutationFn: () => make(plan, text, scenarios),
    onSuccess: async (pushed) => {
      notifyDone(t("made", { name: pushed.name, revision: pushed.revision }));
      await navigate({ to: "/definitions/$definitionId", params: { definitionId: pushed.id }, search: { revision: pushed.revision } });
    },
    onSettled: () => Promise.all(["definitions", "records"].map((key) => queryClient.invalidateQueries({ queryKey: [key] }))),
  });
  if (there.error) return <Failure error={there.error} />;
  if (tables.length > 0 && !there.data) return <Loading />;
  return (
    <div className={css.making}>
      <h3 className={css.heading}>{t("will")}</h3>
      <ul className={css.will}>
        {plan.map((table) => (
          <TableLine key={table.name} table={table} />
        ))}
        <li>{same ? t("willRevise", { name }) : t("willPush", { name })}</li>
      </ul>
      {plan.some((table) => table.otherwise.length > 0) && (
        <Notice tone="warn" title={t("otherwise")}>
          {plan.flatMap((table) => table.otherwise.map((field) => `${table.name}.${field}`)).join(", ")}
        </Notice>
      )}
      {push.isError && <Failure error={push.error} />}
      <Group mt="md">
        <Allowed by="can_manage_definitions" reason={changesTables(plan) && !mayTables ? t("needsTables") : undefined}>
          <Button loading={push.isPending} onClick={() => push.mutate()}>
            {t("make")}
          </Button>
        </Allowed>
        <span className="quiet">{t("draft")}</span>
      </Group>
    </div>
  );
}

function TableLine({ table }: { table: TablePlan }) {
  const { t } = useTranslation("templates");
  const { name, there, added } = table;
  if (!there) return <li>{t("willMake", { table: name, count: added.length })}</li>;
  if (added.length === 0) return <li>{t("willKeep", { table: name })}</li>;
  return (
    <li>
      {t("willAdd", { table: name, count: added.length })} <span className="mono">{added.join(", ")}</span>
    </li>
  );
}
