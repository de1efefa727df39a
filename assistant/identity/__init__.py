"""Proving who somebody is in a browser, by open standards; no vendor is known here.

- `sign_in`: employees sign in with any OpenID Connect provider; `provider` speaks to it, `attempts` keeps what is open.
- `linking`: an OAuth 2 authorization server, with which another company's account is linked to a person; `server` is
  the protocol, `consent` the page, `tokens` keeps what was granted.
- `opening`: links by which a conversation goes on in another browser; `picture` draws them to be scanned.
- `proving`: what a proof does to a browser: the person is linked, the session renewed, the conversation goes on.
- `page`: what people see of it.
"""
