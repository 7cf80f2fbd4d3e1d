"""Files in forms, within bounds that hold before anything is read."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

# The largest file that any form takes (a picture of 2 MB), and the form around it.
MAX_UPLOAD_BYTES = 3 * 1024 * 1024


class BoundedUploadHandler(FileUploadHandler):
    """Refuses a form that is too long by what it says of its length; the server holds it to that."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> tuple[QueryDict, MultiValueDict[str, Any]] | None:
        if content_length > MAX_UPLOAD_BYTES:
            raise RequestDataTooBig("This form holds more than 3 MB.")
        return None

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data  # the next handler keeps it

    def file_complete(self, file_size: int) -> None:
        return None
