"""A small OpenID Connect provider for tests. It keeps to the standard, or breaks it in one chosen way."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qs, parse_qsl, urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "shop"
CLIENT_SECRET = "what the provider and we know, and nobody else"


@dataclass
class StandInProvider:
    """Signs in whoever comes, at once, as `subject` with `claims`."""

    url: str = ""
    subject: str = "anna"
    claims: dict[str, object] = field(default_factory=lambda: {"groups": ["staff"]})
    misbehaves: str = ""
    denies: bool = False
    key: RSAKey = field(default_factory=lambda: new_key("one"))
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    """What was asked of each code."""

    def forget(self) -> None:
        """Be as new, with the same address and key."""
        vars(self).update(vars(StandInProvider(url=self.url, key=self.key)))

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def discovery() -> Mapping[str, object]:
            return {
                "issuer": "https://elsewhere.example" if self.misbehaves == "discovery" else self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": "http://elsewhere.example/token"
                if self.misbehaves == "plain"
                else f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "authorization_response_iss_parameter_supported": True,
            }

        @app.get("/keys")
        def keys() -> Mapping[str, object]:
            return {"keys": [self.key.as_dict(private=False), {"kty": "new", "kid": "unknown"}]}

        @app.get("/authorize")
        def authorize(request: Request) -> Response:
            asked = dict(parse_qsl(request.url.query))
            code = f"code-{len(self.asked)}"
            self.asked[code] = asked
            answer = {"error": "access_denied"} if self.denies else {"code": code}
            named = "https://elsewhere.example" if self.misbehaves == "mix-up" else self.url
            query = urlencode({**answer, "state": asked["state"], "iss": named})
            return RedirectResponse(f"{asked['redirect_uri']}?{query}", 302)

        @app.post("/token")
        async def token(request: Request) -> Response:
            form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            asked = self.asked.pop(form["code"], None)
            if asked is None or not self._is_right(request, form, asked):
                return JSONResponse({"error": "invalid_grant"}, 400)
            if self.misbehaves == "no token":
                return JSONResponse({"access_token": "x", "token_type": "Bearer"})
            return JSONResponse(
                {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}
            )

        return app

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": self.url,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.claims,
        }
        header = {"alg": "RS256", "kid": self.key.kid}
        key = self.key
        match self.misbehaves:
            case "nonce":
                claims["nonce"] = "another"
            case "no nonce":
                del claims["nonce"]
            case "issuer":
                claims["iss"] = "https://elsewhere.example"
            case "audience":
                claims["aud"] = "another client"
            case "party":
                claims["aud"] = [CLIENT_ID, "another client"]
                claims["azp"] = "another client"
            case "expired":
                claims["exp"] = now - 300
            case "future":
                claims["iat"] = now + 3600
            case "nobody":
                del claims["sub"]
            case "signature":
                key = new_key(str(self.key.kid))
            case "none":
                return by_hand({"alg": "none"}, claims, None)
            case "public key as secret":
                return by_hand({"alg": "HS256", "kid": self.key.kid}, claims, self.key.as_pem(private=False))
            case "no JSON":
                return jws.serialize_compact({"alg": "RS256", "kid": self.key.kid}, b"[]", self.key)
            case "garbage":
                return "a.b"
        return jwt.encode(header, claims, key)

    def _is_right(self, request: Request, form: dict[str, str], asked: dict[str, str]) -> bool:
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        proved = request.headers.get("authorization", "").startswith("Basic ")
        same = form["redirect_uri"] == asked["redirect_uri"]
        return proved and same and asked["code_challenge_method"] == "S256" and challenge == asked["code_challenge"]


def new_key(key_id: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": key_id, "use": "sig"})


def by_hand(header: Mapping[str, object], claims: Mapping[str, object], secret: bytes | None) -> str:
    """A token as no library would make it any more: without a signature, or with a public key for a secret."""
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = hmac.digest(secret, b".".join(parts), "sha256") if secret else b""
    return b".".join([*parts, urlsafe_b64encode(signature).rstrip(b"=")]).decode()
