"""Taking transcripts along from the admin panel: one as a file, several as an archive, both made while they are sent."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import RawIOBase
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, StreamingHttpResponse
from unfold.widgets import UnfoldAdminSelectWidget

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.admin.actions import Action
from sessions.audit import Operator
from sessions.models import LiveSession
from sessions.sending import in_pieces
from sessions.transcript import FORMS, Form

# Of all sessions together. What is more is taken in several times.
MAX_MESSAGES = 200_000


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        choices=[(name, form.label) for name, form in FORMS.items()], widget=UnfoldAdminSelectWidget()
    )

    def __init__(self, rows: Sequence[LiveSession], data: Any = None) -> None:
        super().__init__(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAction(Action):
    """Sends the transcripts of the selected sessions."""

    def perform(
        self, request: HttpRequest, rows: Sequence[LiveSession], data: dict[str, Any]
    ) -> StreamingHttpResponse | None:
        try:
            if sum(session.last_n for session in rows) > MAX_MESSAGES:
                raise LiveError(
                    ErrorCode.TOO_LARGE,
                    f"Together they have more than {MAX_MESSAGES:,} messages. Select fewer sessions.",
                )
            self.run(Operator.of(request), rows, data["format"])
        except LiveError as error:
            messages.error(request, error.message)
            return None
        return download(rows, FORMS[data["format"]])


def download(sessions: Sequence[LiveSession], form: Form) -> StreamingHttpResponse:
    """The answer that carries the transcripts. No session is read before its turn to be sent."""
    pieces: Iterator[bytes]
    if len(sessions) == 1:
        name, content_type = form.file_name(sessions[0]), form.content_type
        pieces = map(str.encode, form.pieces(sessions[0]))
    else:
        name, content_type = "transcripts.zip", "application/zip"
        pieces = _archive(sessions, form)
    answer = StreamingHttpResponse(in_pieces(pieces), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


class _Outlet(RawIOBase):
    """Where an archive is written to; what is there can be taken at any time."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _archive(sessions: Sequence[LiveSession], form: Form) -> Iterator[bytes]:
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
        for session in sessions:
            with archive.open(form.file_name(session), "w", force_zip64=True) as file:
                for piece in form.pieces(session):
                    file.write(piece.encode())
                    yield outlet.take()
    yield outlet.take()
