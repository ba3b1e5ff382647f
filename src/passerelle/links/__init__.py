"""How end users get in: links, tokens, the browser that an execution is bound to, and the e-mails that carry links."""
