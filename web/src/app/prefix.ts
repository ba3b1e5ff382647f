/** Where Passerelle lives on its host: a path such as `/onboarding`, or nothing. A script knows it by its own address. */
export const PREFIX = /^(.*)\/app\/(?:assets|src)\//.exec(new URL(import.meta.url).pathname)?.[1] ?? "";

/** An address of the server's, as the browser has to ask for it. */
export function under(path: string): string {
  return PREFIX + path;
}
