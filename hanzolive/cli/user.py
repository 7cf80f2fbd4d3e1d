"""`hanzo-live user create`: an account from the command line, and API tokens for programs."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace

from hanzolive.cli import prepare
from hanzolive.cli.beside import configuration_of, require_database, set_up_django
from hanzolive.cli.errors import OperatorError

TOKEN_NAME = "hanzo-live user create"


def run(args: Namespace) -> int:
    """Makes the account, or finds it where only a token is asked for. Raises OperatorError."""
    configuration = configuration_of(args)
    set_up_django(configuration)
    require_database(configuration)
    prepare.migrate()
    from hanzo_live.protocol.errors import LiveError

    try:
        _create(args)
    except LiveError as error:
        raise OperatorError(error.message) from error
    return 0


def _create(args: Namespace) -> None:
    from django.db import IntegrityError

    from sessions.addresses import trust_address
    from sessions.authentication import create_token
    from sessions.models import User

    email = _login(args)
    password = args.password if args.password is not None or args.token else _asked_password()
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        if password is not None:
            _check_password(password)
        try:
            user = User.objects.create_user(
                email, password, name=_name(args), is_staff=args.admin, is_superuser=args.admin
            )
        except IntegrityError as error:
            raise OperatorError(f"There is an account with the e-mail {email} already.") from error
        trust_address(user)
        print(f"Made the account {user.name} with the login {user.email}{', an admin' if args.admin else ''}.")
    elif not args.token or args.password is not None or args.admin:
        raise OperatorError(f"There is an account with the e-mail {email} already. Give another with --email.")
    if args.token:
        _, token = create_token(user, TOKEN_NAME)
        print(token)


def _login(args: Namespace) -> str:
    """The e-mail address: the given one, the name itself where it is one, else the name at localhost."""
    from django.utils.text import slugify

    from sessions.text import is_address

    email = args.email or (args.name if "@" in args.name else f"{slugify(args.name) or 'user'}@localhost")
    if not is_address(email):
        raise OperatorError(f"{email} is not an e-mail address. Give one with --email.")
    return str(email).lower()


def _name(args: Namespace) -> str:
    from sessions.text import MAX_NAME, clean_line

    return clean_line(args.name.partition("@")[0] or args.name, "name", MAX_NAME, required=True)


def _asked_password() -> str:
    if not sys.stdin.isatty():
        raise OperatorError(
            "There is no terminal to ask for a password. Give --password, or --token for a program's account."
        )
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise OperatorError("The two passwords differ. Try again.")
    return password


def _check_password(password: str) -> None:
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    try:
        validate_password(password)
    except ValidationError as error:
        raise OperatorError(" ".join(error.messages)) from error
