/** The page's policy lets only style elements in that carry its nonce. */
declare global {
  interface Window {
    __webpack_nonce__?: string;
  }
}

const meta = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]');
const value = meta?.nonce ?? "";

// Where the library that keeps the page from scrolling under a dialogue looks for it.
window.__webpack_nonce__ = value;

export const nonce = (): string => value;
