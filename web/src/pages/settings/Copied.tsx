import { CopyButton } from "@/components/CopyButton";
import css from "./Settings.module.css";

/** A text that is meant to be copied elsewhere. */
export function Copied({ value, what }: { value: string; what: string }) {
  return (
    <span className={css.copied}>
      <code className="mono">{value}</code>
      <CopyButton value={value} what={what} />
    </span>
  );
}
