import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";

const PAUSE = 400;

interface Props {
  label: string;
  value: string;
  /** Told when the person pauses. */
  onChange: (value: string) => void;
}

/** A text that a list is narrowed by. It stays as it is typed, unless the filter is changed from elsewhere. */
export function TypedFilter({ label, value, onChange }: Props) {
  const [text, setText] = useState(value);
  const [known, setKnown] = useState({ value, sent: value });
  const later = useDebouncedCallback((sent: string) => {
    setKnown((before) => ({ ...before, sent }));
    onChange(sent);
  }, PAUSE);
  if (value !== known.value) {
    setKnown({ value, sent: value });
    if (value !== known.sent) setText(value);
  }
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      maxLength={200}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        later(event.currentTarget.value.trim());
      }}
    />
  );
}
