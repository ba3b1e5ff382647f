import { CopyButton } from "./CopyButton";
import css from "./Id.module.css";

/** An id, to be copied. */
export function Id({ id, what }: { id: string; what: string }) {
  return (
    <span className={css.id}>
      <code title={id}>{id}</code>
      <CopyButton value={id} what={what} />
    </span>
  );
}
