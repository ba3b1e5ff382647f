import type { ReactNode } from "react";

import { useMay } from "@/app/auth";
import { Locked } from "@/components/Locked";
import { PageHeader } from "@/components/PageHeader";

/** A section that is for those with a permission; others are told, under its name. */
export function Needs({ permission, title, children }: { permission: string; title: string; children: ReactNode }) {
  const may = useMay(permission);
  return (
    <>
      {!may && <PageHeader title={title} />}
      <Locked by={permission}>{children}</Locked>
    </>
  );
}
