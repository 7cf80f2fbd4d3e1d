"""What can be done to rows in the admin panel: from a list, to those that are selected, and from a row's own page.

Each is asked for confirmation on a page that says what it does, and is done by a verb that writes the audit log. Who may
do it is asked of `access`; here it only decides what is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from hanzo_live.protocol.errors import LiveError
from sessions.access import Operation, may_operate
from sessions.audit import Operator
from sessions.models import User

# Of what could not be done, so many reasons are shown.
MAX_REFUSALS = 5

Verb = Callable[..., None]
Offered = Callable[[Any], bool]


def always(row: Any) -> bool:
    return True


def nobody_special(operator: User) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do to rows. `run` takes the operator, a row and what the form gave, and raises LiveError.

    `question` says what will happen, before it does; `done` what has. With `form` more is asked; it is made with the
    rows. `offered` says on which rows' pages the button is there.
    """

    name: str
    label: str
    question: str
    done: str
    operation: Operation
    run: Verb
    icon: str
    form: Callable[..., forms.Form] | None = None
    destroys: bool = False
    offered: Offered = always
    on_lists: bool = True
    # Beyond the operation's permission.
    allowed: Callable[[User], bool] = nobody_special

    def is_for(self, user: Any) -> bool:
        """Whether `user` may do it at all."""
        return isinstance(user, User) and may_operate(user, self.operation) and self.allowed(user)

    def perform(self, request: HttpRequest, rows: Sequence[Any], data: dict[str, Any]) -> HttpResponseBase | None:
        """Do it to each of `rows`, and tell the operator; an answer of its own, where there is one."""
        operator = Operator.of(request)
        done, refusals = 0, []
        for row in rows:
            label = str(row)
            try:
                self.run(operator, row, **data)
            except LiveError as error:
                refusals.append(f"{label}: {error.message}")
            else:
                done += 1
        if done:
            messages.success(request, self.done if len(rows) == 1 else f"{self.done} ({done} of {len(rows)})")
        for refusal in refusals[:MAX_REFUSALS]:
            messages.error(request, refusal)
        if len(refusals) > MAX_REFUSALS:
            messages.error(request, f"{len(refusals) - MAX_REFUSALS} more could not be done.")
        return None
