import { ActionIcon, Menu, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconTerminal2 } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { asCurl, type Call } from "@/api/curl";

interface Entry {
  text: string;
  call: Call;
}

/** Copies the public calls behind what the page shows and does. */
export function CurlButton({ calls }: { calls: readonly Entry[] }) {
  const { t } = useTranslation();
  const clipboard = useClipboard({ timeout: 1500 });
  const label = clipboard.copied ? t("copy.done") : t("copy.curl");
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Tooltip label={label}>
          <ActionIcon variant="default" size={30} aria-label={label}>
            {clipboard.copied ? <IconCheck size={16} /> : <IconTerminal2 size={16} />}
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("copy.curl")}</Menu.Label>
        {calls.map(({ text, call }) => (
          <Menu.Item key={text} onClick={() => clipboard.copy(asCurl(call))}>
            {text}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
