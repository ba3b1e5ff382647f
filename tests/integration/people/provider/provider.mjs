// A certified provider of OpenID Connect, on a port of this machine. Whoever types a name is that person.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [redirect] = process.argv.slice(2);
const server = createServer((request, response) => answer(request, response));
let answer;

server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "passerelle", client_secret: "of-the-client-a-secret", redirect_uris: [redirect] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["given_name", "family_name", "groups"] },
    pkce: { required: () => true },
    findAccount: (_, name) => ({
      accountId: name,
      claims: () => ({
        sub: name,
        email: `${name}@example.com`,
        email_verified: !name.startsWith("unproved"),
        given_name: name,
        family_name: "Elsewhere",
        groups: name.startsWith("chief") ? ["staff", "chiefs"] : name.startsWith("guest") ? [] : ["staff"],
      }),
    }),
    cookies: { keys: ["of-a-test"] },
  });
  answer = provider.callback();
  console.log(issuer);
});
