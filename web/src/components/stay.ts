/** What the page itself does in many calls ends with the page: whoever leaves meanwhile is asked. */
import { useBlocker } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { confirm } from "./confirm";

/** Asks before the page is left while something is under way; the answer: asks the same before it is stopped otherwise. */
export function useStay(isUnderWay: boolean): () => Promise<boolean> {
  const { t } = useTranslation();
  const mayStop = async () =>
    !isUnderWay || (await confirm({ title: t("stay.title"), text: t("stay.text"), action: t("stay.do"), dangerous: true })) !== undefined;
  useBlocker({ shouldBlockFn: async () => !(await mayStop()), enableBeforeUnload: () => isUnderWay, disabled: !isUnderWay });
  return mayStop;
}
