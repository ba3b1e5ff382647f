import { MultiSelect, type MultiSelectProps } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { useMay } from "@/app/auth";
import { attachmentsQuery } from "./queries";

interface Props extends Omit<MultiSelectProps, "data"> {
  table: string;
  recordId: string;
  value: string[];
}

/** Which of a record's files belong to a field, by their names. */
export function FilesSelect({ table, recordId, value, ...shared }: Props) {
  const maySee = useMay("can_read_attachments");
  const { data } = useQuery({ ...attachmentsQuery(table, recordId), enabled: maySee });
  const named = new Map(data?.data.map(({ id, name }) => [id, name]));
  const ids = [...new Set([...named.keys(), ...value])];
  return <MultiSelect {...shared} value={value} data={ids.map((id) => ({ value: id, label: named.get(id) ?? id.slice(0, 8) }))} clearable />;
}
