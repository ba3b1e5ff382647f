import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";

const PAUSE = 250;

interface Props {
  label: string;
  value: string;
  /** Told when the person pauses. */
  onSearch: (text: string) => void;
}

/** Words that the server looks for. */
export function SearchInput({ label, value, onSearch }: Props) {
  const [text, setText] = useState(value);
  const tell = useDebouncedCallback(onSearch, PAUSE);
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={14} aria-hidden />}
      maxLength={200}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        tell(event.currentTarget.value.trim());
      }}
    />
  );
}
