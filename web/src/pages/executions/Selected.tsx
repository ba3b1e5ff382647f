import { Button } from "@mantine/core";
import { IconArrowsExchange, IconBan, IconGitCompare, IconRefresh } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Allowed } from "@/components/Allowed";
import { BulkDialog, type BulkAction } from "./BulkDialog";
import { MoveDialog } from "./MoveDialog";
import type { asQuery } from "./search";
import type { Execution } from "./types";
import css from "./Executions.module.css";

interface Props {
  chosen: readonly Execution[];
  /** What the list is narrowed by: everything that it finds can be chosen, too. */
  filters: ReturnType<typeof asQuery>;
  /** Whether all rows on the screen are chosen, and there are more. */
  mayHaveMore: boolean;
  onClear: () => void;
}

/** What can be done with the chosen executions, or with all that the filters find. */
export function Selected({ chosen, filters, mayHaveMore, onClear }: Props) {
  const { t } = useTranslation("executions");
  const [all, setAll] = useState(false);
  const [asked, setAsked] = useState<BulkAction | "move">();
  if (chosen.length === 0) return null;
  const ids = chosen.map((one) => one.id);
  const filtered = Object.keys(filters).length > 0;
  const [first, second] = chosen;
  const close = () => setAsked(undefined);
  return (
    <div className={css.selected} role="region" aria-label={t("bulk.region")}>
      <strong role="status">{all ? t("bulk.allFound") : t("bulk.chosen", { count: chosen.length })}</strong>
      {mayHaveMore && filtered && !all && (
        <Button variant="subtle" size="compact-xs" onClick={() => setAll(true)}>
          {t("bulk.takeAll")}
        </Button>
      )}
      <Allowed by="can_operate_executions">
        <Button variant="default" size="compact-sm" leftSection={<IconRefresh size={14} />} onClick={() => setAsked("retry")}>
          {t("action.retry")}
        </Button>
      </Allowed>
      <Allowed by="can_operate_executions">
        <Button variant="default" size="compact-sm" leftSection={<IconBan size={14} />} onClick={() => setAsked("cancel")}>
          {t("action.cancel")}
        </Button>
      </Allowed>
      <Allowed by="can_operate_executions" reason={all ? t("bulk.moveOnlyChosen") : undefined}>
        <Button variant="default" size="compact-sm" leftSection={<IconArrowsExchange size={14} />} onClick={() => setAsked("move")}>
          {t("bulk.move")}
        </Button>
      </Allowed>
      {first && second && chosen.length === 2 && (
        <Button
          variant="default"
          size="compact-sm"
          leftSection={<IconGitCompare size={14} />}
          component={Link}
          to={`/executions/compare?left=${first.id}&right=${second.id}`}
        >
          {t("compare.do")}
        </Button>
      )}
      <Button variant="subtle" size="compact-xs" onClick={() => (setAll(false), onClear())}>
        {t("bulk.clear")}
      </Button>
      {(asked === "retry" || asked === "cancel") && (
        <BulkDialog action={asked} ids={all ? undefined : ids} filters={filters} onClose={close} onDone={onClear} />
      )}
      {asked === "move" && <MoveDialog executions={chosen} onClose={close} onDone={onClear} />}
    </div>
  );
}
