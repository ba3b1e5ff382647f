// Passkeys, where the browser has them: signing in with one, and adding one. Everything else works without script.
const known = window.PublicKeyCredential?.parseRequestOptionsFromJSON;

// What the dashboard keeps in this tab of a text that was not sent (`draft.ts`) is not the next person's to see. A session
// that has only ended keeps it for who signs in again.
if (new URLSearchParams(location.search).has("signed-out")) sessionStorage.clear();

const base = new URL("..", import.meta.url).pathname.slice(0, -1); // the path under which Passerelle is, or none

async function send(path, body) {
  const answer = await fetch(base + path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function signIn({ token, next }) {
  const asked = await send("/sign-in/passkey/begin", { token });
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.options);
  const credential = await navigator.credentials.get({ publicKey });
  const entered = await send("/sign-in/passkey", { token, next, credential: credential.toJSON() });
  location.assign(base + entered.next);
}

async function add({ token }) {
  const asked = await send("/set-up/passkey/begin", { token });
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.options);
  const credential = await navigator.credentials.create({ publicKey });
  await send("/set-up/passkey", { token, sealed: asked.sealed, credential: credential.toJSON() });
  location.reload();
}

function offer(place, work) {
  if (!place || !known) return;
  place.hidden = false;
  const [button, problem] = [place.querySelector("button"), place.querySelector(".problem")];
  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.hidden = true;
    try {
      await work(place.dataset);
    } catch {
      problem.hidden = false;
      button.disabled = false;
    }
  });
}

offer(document.getElementById("passkey"), signIn);
offer(document.getElementById("add-passkey"), add);
