import { Button, List } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { ApiError, NetworkError } from "@/api/errors";
import { CopyButton } from "./CopyButton";
import { Notice } from "./Notice";
import css from "./Failure.module.css";

interface Props {
  error: unknown;
  onRetry?: (() => void) | undefined;
}

/** What went wrong, what to do about it, and the fingerprint that finds it in the server's log. */
export function Failure({ error, onRetry }: Props) {
  const { t } = useTranslation();
  const refused = error instanceof ApiError ? error : undefined;
  const title =
    error instanceof NetworkError ? t("failure.network") : refused ? t("failure.refused") : t("failure.broken");
  return (
    <Notice tone="bad" alert title={title}>
      {refused ? (
        <List size="sm" listStyleType="none">
          {refused.problems.map((problem, place) => (
            <List.Item key={place}>
              {problem.message} <span className="mono">({problem.code})</span>
            </List.Item>
          ))}
        </List>
      ) : (
        error instanceof Error && !(error instanceof NetworkError) && <p className={css.line}>{error.message}</p>
      )}
      {refused?.fingerprint && (
        <p className={css.line}>
          {t("failure.fingerprint")} <code>{refused.fingerprint}</code>
          <CopyButton value={refused.fingerprint} what={t("failure.fingerprint")} />
        </p>
      )}
      {onRetry && (
        <Button mt="xs" variant="default" onClick={onRetry}>
          {t("failure.again")}
        </Button>
      )}
    </Notice>
  );
}
