import { Menu } from "@mantine/core";
import { IconBuilding, IconCheck, IconSelector } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { notifyFailed } from "@/components/confirm";
import { enterOrganization, enterWorkspace, organizationsQuery, useMe } from "./auth";
import css from "./Person.module.css";

/** Which workspace is shown, and the way to another, or to another organization. */
export function WorkspaceSwitcher() {
  const { t } = useTranslation();
  const { workspace, workspaces } = useMe();
  const organizations = useQuery(organizationsQuery).data?.data ?? [];
  const others = organizations.filter((one) => !one.current);
  const face = (
    <>
      <span className={css.face} data-letter={workspace.name.slice(0, 1).toUpperCase()} aria-hidden />
      <span className={css.name}>{workspace.name}</span>
    </>
  );
  if (workspaces.length < 2 && others.length === 0) return <div className={css.still}>{face}</div>;
  return (
    <Menu position="bottom-start" width="target">
      <Menu.Target>
        <button type="button" className={css.person} aria-label={t("workspace.switch", { name: workspace.name })}>
          {face}
          <IconSelector size={15} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {workspaces.map((one) => (
          <Menu.Item
            key={one.id}
            leftSection={one.id === workspace.id ? <IconCheck size={14} /> : <span className={css.gap} />}
            onClick={() => void enterWorkspace(one.id).catch(notifyFailed)}
          >
            {one.name}
          </Menu.Item>
        ))}
        {others.length > 0 && <Menu.Label>{t("workspace.organizations")}</Menu.Label>}
        {others.map((one) => (
          <Menu.Item key={one.id} leftSection={<IconBuilding size={14} />} onClick={() => void enterOrganization(one.id).catch(notifyFailed)}>
            {one.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
