"""Users in the admin panel: made and renamed in forms, everything else by actions. Each change goes through a verb."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.http import HttpRequest
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from hanzo_live.protocol.errors import LiveError
from sessions import user_operations
from sessions.access import Operation, may_give_rights, may_operate, require_operation_on
from sessions.addresses import is_taken
from sessions.admin.actions import Action
from sessions.admin.base import OperatorAdmin
from sessions.admin.filters import DaysFilter
from sessions.admin.finding import beginning, by_id, containing
from sessions.admin.links import Relation, relate
from sessions.admin.rights import PermissionsField
from sessions.admin.unfolding import column
from sessions.audit import Operator
from sessions.models import ApiToken, AuditEntry, Member, Message, User
from sessions.text import MAX_NAME, is_storable

relate(
    User,
    Relation("Sessions", Member, "user__id__exact"),
    Relation("API tokens", ApiToken, "user__id__exact"),
    Relation("Messages", Message, "user__id__exact"),
    Relation("What they did here", AuditEntry, "actor"),
)


class UserForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Name and address of an account."""

    name = forms.CharField(max_length=MAX_NAME, widget=UnfoldAdminTextInputWidget())
    email = forms.EmailField(
        label="E-mail", max_length=254, widget=UnfoldAdminEmailInputWidget(), help_text="They sign in with it."
    )

    class Meta:
        model = User
        fields = ("email", "name")

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if not is_storable(name):
            raise forms.ValidationError("This name holds characters that are no text; remove them.")
        return name

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if is_taken(email, self.instance):
            raise forms.ValidationError("There is an account with this e-mail address already.")
        return email


class NewUserForm(UserForm):
    """A new account, with a password or without."""

    password = forms.CharField(
        required=False,
        strip=False,
        max_length=128,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Without one they choose their own: they ask for a new password on the sign-in page.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("password"):
            about = User(email=cleaned.get("email", ""), name=cleaned.get("name", ""))
            try:
                validate_password(cleaned["password"], about)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=128,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=password_validators_help_text_html,
    )

    def __init__(self, rows: Sequence[User], data: Any = None) -> None:
        super().__init__(data)
        self._user = rows[0] if rows else None

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self._user)
        return password


class RightsForm(forms.Form):
    """What a user may do here."""

    staff = forms.BooleanField(
        required=False, label="May come into the admin panel", widget=UnfoldBooleanSwitchWidget()
    )
    superuser = forms.BooleanField(
        required=False,
        label="May do everything, and give rights to others",
        widget=UnfoldBooleanSwitchWidget(),
    )
    groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Rights that are given together. Groups are made on a page of their own.",
    )
    permissions = PermissionsField()

    def __init__(self, rows: Sequence[User], data: Any = None) -> None:
        user = rows[0] if rows else User()
        initial: dict[str, Any] = {"staff": user.is_staff, "superuser": user.is_superuser}
        if rows:
            initial |= {"groups": user.groups.all(), "permissions": user.user_permissions.all()}
        super().__init__(data, initial=initial)


@admin.register(User)
class UserAdmin(OperatorAdmin):
    form = UserForm
    list_display = ("email", "name", "state", "rights", "date_joined", "last_login")
    list_filter = (
        ("is_active", BooleanRadioFilter),
        ("is_staff", BooleanRadioFilter),
        ("date_joined", DaysFilter),
    )
    sortable_by = ("email",)
    ordering = ("email",)
    finds = (by_id("pk"), beginning("email"), containing("name"))
    search_help_text = "The beginning of the e-mail address, a part of the name, or an id"
    fieldsets = (
        (None, {"fields": (("name", "email"), "related", ("state", "rights"), ("date_joined", "last_login"), "id")}),
    )
    add_fieldsets = ((None, {"fields": ("name", "email", "password")}),)
    readonly_fields = ("related", "state", "rights", "date_joined", "last_login", "id")
    row_actions = (
        Action(
            name="sign-out",
            label="Sign out everywhere",
            icon="logout",
            operation=Operation.DEACTIVATE_USER,
            run=user_operations.sign_out,
            question="Sign this user out of all browsers, and close their open pages? Their API tokens go on working.",
            done="Signed out everywhere.",
            destroys=True,
        ),
        Action(
            name="password",
            label="Set password",
            icon="password",
            operation=Operation.CHANGE_USER,
            run=user_operations.set_password,
            form=PasswordForm,
            question="Which password shall this user have? They are signed out everywhere.",
            done="The password is set.",
            on_lists=False,
        ),
        Action(
            name="second-factor",
            label="Take off second factor",
            icon="phonelink_erase",
            operation=Operation.CHANGE_USER,
            run=user_operations.take_off_second_factor,
            question="Take off this user's authenticator app and recovery codes? Then the password alone lets them in.",
            done="The second factor is off.",
            destroys=True,
            on_lists=False,
        ),
        Action(
            name="rights",
            label="Rights",
            icon="admin_panel_settings",
            operation=Operation.CHANGE_USER,
            run=user_operations.set_rights,
            form=RightsForm,
            question="What may this user do in the admin panel?",
            done="The rights are set.",
            on_lists=False,
            allowed=may_give_rights,
        ),
        Action(
            name="activate",
            label="Switch on",
            icon="person_check",
            operation=Operation.DEACTIVATE_USER,
            run=user_operations.activate,
            question="Let this user in again, with all that they had?",
            done="Switched on.",
            offered=lambda user: not user.is_active,
        ),
        Action(
            name="deactivate",
            label="Switch off",
            icon="person_off",
            operation=Operation.DEACTIVATE_USER,
            run=user_operations.deactivate,
            question="Switch this user off? Their open pages close, their API tokens do not work, and they cannot sign in. What they said stays.",
            done="Switched off.",
            destroys=True,
            offered=lambda user: user.is_active,
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and may_operate(request.user, Operation.CREATE_USER)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_change_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not isinstance(request.user, User):
            return False
        if not isinstance(obj, User):
            return may_operate(request.user, Operation.CHANGE_USER)
        try:
            require_operation_on(request.user, Operation.CHANGE_USER, obj)
        except LiveError:
            return False
        return True

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=UserForm if change else NewUserForm, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: User, form: forms.BaseForm, change: bool) -> None:
        """By the verbs, not by the form. Django has opened the transaction."""
        operator, data = Operator.of(request), form.cleaned_data
        if change:
            user_operations.change_user(operator, obj, name=data["name"], email=data["email"])
        else:
            made = user_operations.create_user(
                operator, name=data["name"], email=data["email"], password=data["password"] or None
            )
            obj.pk, obj._state.adding = made.pk, False

    @column("State", looks={"On": "success", "Off": "danger"})
    def state(self, user: User) -> str:
        return "On" if user.is_active else "Off"

    @column("Rights", looks={"Superuser": "warning", "Staff": "info"})
    def rights(self, user: User) -> str | None:
        if user.is_superuser:
            return "Superuser"
        return "Staff" if user.is_staff else None
