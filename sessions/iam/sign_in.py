"""Signing in with a browser, by OpenID Connect's code flow with PKCE and a nonce: allauth's, with our checks and rules.

allauth keeps the state, finds the link, asks for the second factor, and goes on to where somebody wanted to be. What
comes from the issuer is read by us (docs/decisions/signing-in-with-hanzo.md).
"""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from typing import Any
from urllib.parse import quote

from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.base.provider import Provider
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.accounts import invitation_at, with_invitation
from sessions.iam import issuer, pictures
from sessions.iam.accounts import PROVIDER, account_by_address, link, new_account, set_admin
from sessions.iam.claims import claims_of, kept_of, person_of
from sessions.models import User


class IamOAuth2Adapter(OpenIDConnectOAuth2Adapter):
    """What is said to the issuer, and what is believed of its answers. Raises LiveError."""

    basic_auth = False  # the other way is ours to take

    def __init__(self, request: HttpRequest, provider_id: str) -> None:
        super().__init__(request, provider_id)
        self._nonce = ""
        # Where somebody wanted to be, so that they still get there when they begin again.
        self.next_url: str | None = get_next_redirect_url(request)

    @property
    def there(self) -> issuer.Endpoints:
        return issuer.endpoints(settings.IAM_ISSUERS[0])

    @property
    def authorize_url(self) -> str:
        return _named(self.there.authorization)

    @property
    def access_token_url(self) -> str:  # type: ignore[override]  # as in allauth's own
        return _named(self.there.token)

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        """The tokens for the code that somebody came back with."""
        assert pkce_code_verifier is not None  # always sent, and kept in the state
        self._nonce = nonce_of(pkce_code_verifier)
        form = {
            "grant_type": "authorization_code",
            "code": request.GET.get("code", ""),
            "redirect_uri": client.callback_url,
            "code_verifier": pkce_code_verifier,
        }
        headers = {}
        if self.there.basic and app.secret:
            pair = f"{quote(app.client_id, safe='')}:{quote(app.secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = app.client_id
            if app.secret:
                form["client_secret"] = app.secret
        status, answer = issuer.ask(self.access_token_url, data=form, headers=headers)
        if status != 200 or not isinstance(answer.get("access_token"), str):
            raise _refused(answer.get("error"))
        return answer

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        return SocialToken(token=data["access_token"])  # used for this sign-in, and not stored

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        raw = kwargs["response"].get("id_token")
        if not isinstance(raw, str):
            raise _refused("no id_token")
        claims = claims_of(raw, [app.client_id], nonce=self._nonce)
        if claims["iss"] != settings.IAM_ISSUERS[0] or claims.get("azp", app.client_id) != app.client_id:
            raise _refused("the id_token is another one's")
        if not person_of(claims).email_verified:
            claims = {**self._user_info(token.token, claims["sub"]), **claims}
        return IamProvider(request, app=app).sociallogin_from_response(request, claims)

    def _user_info(self, access_token: str, subject: str) -> dict[str, Any]:
        """What the issuer tells of the person beside the id_token; nothing of anybody else."""
        if self.there.userinfo is None:
            return {}
        status, told = issuer.ask(self.there.userinfo, headers={"Authorization": f"Bearer {access_token}"})
        return told if status == 200 and told.get("sub") == subject else {}


class IamProvider(OpenIDConnectProvider):
    """Where people are sent, and who came back."""

    oauth2_adapter_class = IamOAuth2Adapter

    def get_pkce_params(self) -> dict[str, Any]:
        challenge = generate_code_challenge()
        return {**challenge, "nonce": nonce_of(challenge["code_verifier"])}

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        # Not what OAuth2Provider adds: a link must not choose what the issuer is asked.
        asked: dict[str, Any] = Provider.get_redirect_from_request_kwargs(self, request)
        if asked["process"] != AuthProcess.CONNECT:
            asked["process"] = AuthProcess.LOGIN
        return asked

    def redirect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().redirect(request, *args, **kwargs)
        if not isinstance(answer, HttpResponseRedirect):
            return answer
        # Browsers hold a form to `form-action` through its redirects, and where those lead is the issuer's affair.
        return render(request, "account/leaving.html", {"address": answer.url, "name": self.name})

    def sociallogin_from_response(self, request: HttpRequest, response: dict[str, Any]) -> SocialLogin:
        kept = kept_of(response)
        person = person_of(kept)
        account = SocialAccount(provider=PROVIDER, uid=person.id, extra_data=kept)
        return SocialLogin(provider=self, account=account, user=User(name=person.name))


class SocialAdapter(DefaultSocialAccountAdapter):
    """allauth with our one issuer, and our rules of who becomes whom."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The configured one. Never from the database: who administers accounts does not choose whom we believe."""
        if not settings.IAM_CLIENT_ID or provider not in (None, PROVIDER, IamProvider.id):
            return []
        return [
            SocialApp(
                provider=IamProvider.id,
                provider_id=PROVIDER,
                name=settings.IAM_NAME,
                client_id=settings.IAM_CLIENT_ID,
                secret=settings.IAM_CLIENT_SECRET,
            )
        ]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        if settings.IAM_SIGNUP == "invite":
            return invitation_at(request, sociallogin.get_redirect_url(request)) is not None
        return bool(settings.IAM_SIGNUP == "open")

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Who was here before, or has the same verified address, is signed in; see `iam.accounts`."""
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            return
        person = person_of(sociallogin.account.extra_data)
        if not sociallogin.is_existing:
            known = account_by_address(person)
            if known is None:
                return
            sociallogin.account, sociallogin.user = link(known, person), known
        assert isinstance(sociallogin.user, User)
        set_admin(sociallogin.user, person)

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: BaseForm | None = None) -> User:
        """Make the account of somebody new, with what the issuer tells of them. Raises LiveError `conflict`."""
        person = person_of(sociallogin.account.extra_data)

        def make() -> User:
            sociallogin.account = new_account(person)
            sociallogin.user = sociallogin.account.user
            set_admin(sociallogin.user, person)
            return sociallogin.user

        with transaction.atomic():
            user = with_invitation(request, sociallogin.get_redirect_url(request), settings.IAM_SIGNUP, make)
            if person.picture:
                transaction.on_commit(partial(pictures.queue, user.pk, person.picture))
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Provider,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Somebody came back without having signed in."""
        state: dict[str, Any] | None = (extra_context or {}).get("state")
        if state is not None and error == AuthError.CANCELLED:
            title, advice = "You did not sign in", "Nothing was changed. You can begin again."
            raise ImmediateHttpResponse(trouble(request, title, advice, next_url=state.get("next")))
        if state is not None:
            raise _refused(request.GET.get("error"))
        raise ImmediateHttpResponse(
            trouble(
                request,
                "This sign-in is over",
                "It was begun in another browser, more than ten minutes ago, or it was used already. Begin again here.",
                400,
            )
        )


def nonce_of(code_verifier: str) -> str:
    """The nonce that goes with a code verifier: as unguessable, of no use to whoever sees it, and kept with it."""
    return hashlib.sha256(f"nonce of {code_verifier}".encode()).hexdigest()


def trouble(
    request: HttpRequest, title: str, advice: str, status: int = 200, *, next_url: str | None = None
) -> HttpResponse:
    """The page that says why somebody is not signed in, and what to do: begin again, on the way to `next_url`."""
    about = {"title": title, "advice": advice, "next": next_url}
    return render(request, "account/not_signed_in.html", about, status=status)


def _named(address: str | None) -> str:
    if address is None:
        raise issuer.unreachable(settings.IAM_ISSUERS[0])
    return address


def _refused(why: object) -> LiveError:
    shown = f" ({why})" if isinstance(why, str) and why.isprintable() and len(why) <= 60 else ""
    return LiveError(ErrorCode.FORBIDDEN, f"{settings.IAM_NAME} did not let you in{shown}. Begin again.")
