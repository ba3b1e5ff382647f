import { Tabs } from "@mantine/core";
import type { ReactNode } from "react";

interface Props<Tab extends string> {
  label: string;
  value: Tab;
  onChange: (tab: Tab) => void;
  tabs: readonly Tab[];
  nameOf: (tab: Tab) => string;
  panels: Record<Tab, ReactNode>;
}

/** The parts of a page, of which the address names the one that is shown. */
export function PageTabs<Tab extends string>({ label, value, onChange, tabs, nameOf, panels }: Props<Tab>) {
  return (
    <Tabs value={value} onChange={(tab) => onChange(tab as Tab)} keepMounted={false}>
      <Tabs.List mb="md" aria-label={label}>
        {tabs.map((tab) => (
          <Tabs.Tab key={tab} value={tab}>
            {nameOf(tab)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map((tab) => (
        <Tabs.Panel key={tab} value={tab}>
          {panels[tab]}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
