"""The addresses of signing in with the issuer: where it begins, where one comes back to, and what is connected."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount import views
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.iam.claims import NotAccepted
from sessions.iam.sign_in import IamOAuth2Adapter, trouble

TITLES = {
    ErrorCode.BUSY: "The sign-in cannot be reached now",
    ErrorCode.CONFLICT: "You have an account here already",
}


@never_cache
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _in_words(OAuth2LoginView, request, provider_id)


@never_cache
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _in_words(ComeBackView, request, provider_id)


class ComeBackView(OAuth2CallbackView):
    """allauth's, which tells the adapter where somebody wanted to be."""

    adapter: IamOAuth2Adapter

    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, response = super()._get_state(request, provider)
        if state is not None:
            self.adapter.next_url = state.get("next")
        return state, response


def connections(request: HttpRequest) -> HttpResponseBase:
    """Connecting the account that one is signed in to, and disconnecting it."""
    if not settings.IAM_CLIENT_ID:
        raise Http404
    return views.connections(request)


def _in_words(view: Any, request: HttpRequest, provider_id: str) -> HttpResponse:
    """What allauth's view answers, or the page that says why not."""
    adapter = IamOAuth2Adapter(request, provider_id)
    try:
        answer: HttpResponse = view.adapter_view(adapter)(request)
        return answer
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    except NotAccepted as error:
        advice = (
            f"What {settings.IAM_NAME} says of you is not accepted here: {error.why}. Ask whoever runs this server."
        )
        return trouble(request, "You were not let in", advice, 403, next_url=adapter.next_url)
    except LiveError as error:
        title = TITLES.get(error.code, "That did not work")
        return trouble(request, title, error.message, error.http_status, next_url=adapter.next_url)
