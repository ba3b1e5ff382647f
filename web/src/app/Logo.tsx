import css from "./Logo.module.css";

/** A footbridge, and the name. */
export function Logo() {
  return (
    <span className={css.logo}>
      <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
        <rect width="32" height="32" rx="7" fill="#2f5fd0" />
        <path
          d="M5 21c5-9 17-9 22 0M5 21h22M10 21v-4.6M16 21v-6.6M22 21v-4.6"
          fill="none"
          stroke="#fff"
          strokeWidth="2.4"
          strokeLinecap="round"
        />
      </svg>
      Passerelle
    </span>
  );
}
