import { Button } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

import { titleOf, type Table } from "../types";
import type { Looks } from "./cells";
import type { Edits } from "./edits";
import type { Rows } from "./rows";
import css from "./Grid.module.css";

interface Place {
  id: string;
  field: string;
}

interface Props {
  table: Table;
  rows: Rows;
  edits: Edits;
  looks: Looks;
  active: Place | undefined;
  news: number;
  onNews: () => void;
  onShow: (place: Place) => void;
}

/** How many records there are, what of the typed is not saved yet, and what has to be decided about it. */
export function GridFoot({ table, rows, edits, looks, active, news, onNews, onShow }: Props) {
  const { t } = useTranslation("grid");
  useSyncExternalStore(rows.subscribe, rows.getVersion);
  const { waiting, sending, refused, conflict } = edits.counts;
  const { count, exact } = rows.total;
  const shown = new Intl.NumberFormat(looks.language).format(count);
  const { troubled } = edits;
  return (
    <>
      <Trouble table={table} rows={rows} edits={edits} looks={looks} active={active} />
      <div className={css.foot}>
        <span className="numbers">{exact ? t("count", { count, shown }) : rows.isReady && t("countMore", { shown })}</span>
        <span role="status">
          {sending > 0 && t("saving", { count: sending })}
          {sending === 0 && waiting > 0 && t("waiting", { count: waiting })}
        </span>
        <span className={css.footEnd}>
          {news > 0 && (
            <Button size="compact-xs" variant="light" onClick={onNews}>
              {t("news", { count: news })}
            </Button>
          )}
          {refused + conflict > 0 && troubled && (
            <>
              <span role="status">{t("troubled", { count: refused + conflict })}</span>
              <Button size="compact-xs" variant="subtle" onClick={() => onShow(troubled)}>
                {t("showIt")}
              </Button>
              <Button size="compact-xs" variant="subtle" onClick={() => edits.discardTroubled()}>
                {t("discardAll")}
              </Button>
            </>
          )}
        </span>
      </div>
    </>
  );
}

/** Why the active cell was not saved, and what can be done. */
function Trouble({ table, rows, edits, looks, active }: Pick<Props, "table" | "rows" | "edits" | "looks" | "active">) {
  const { t } = useTranslation("grid");
  const draft = active && edits.of(active.id)?.get(active.field);
  if (!active || !draft || (draft.state !== "refused" && draft.state !== "conflict")) return null;
  const field = table.fields.find(({ name }) => name === active.field);
  const theirs = field ? looks.of(field, rows.find(active.id)?.[active.field]) : "";
  const title = field ? titleOf(field, looks.language) : active.field;
  return (
    <div className={css.trouble} data-state={draft.state} role="alert">
      {draft.state === "conflict" ? (
        <>
          <span>{t("conflict.text", { field: title, theirs: theirs || t("nothing") })}</span>
          <Button size="compact-xs" onClick={() => edits.insist(active.id, active.field)}>
            {t("conflict.mine")}
          </Button>
          <Button size="compact-xs" variant="default" onClick={() => edits.discard(active.id, active.field)}>
            {t("conflict.theirs")}
          </Button>
        </>
      ) : (
        <>
          <span>{t("refused.text", { field: title, why: draft.message ?? "" })}</span>
          <Button size="compact-xs" variant="default" onClick={() => edits.discard(active.id, active.field)}>
            {t("refused.discard")}
          </Button>
        </>
      )}
    </div>
  );
}
