/** Signatures of webhooks, as Standard Webhooks has them: HMAC-SHA256 over `id.timestamp.body`. */
const PREFIX = "whsec_";

/** The signature that a delivery has: `v1,…`. Throws where the secret is none. */
export async function signatureOf(secret: string, id: string, timestamp: string, body: string): Promise<string> {
  const bytes = Uint8Array.from(atob(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret), (char) => char.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signed = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${id}.${timestamp}.${body}`));
  return `v1,${btoa(String.fromCharCode(...new Uint8Array(signed)))}`;
}
