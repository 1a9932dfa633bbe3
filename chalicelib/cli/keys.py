"""`keys create|list|revoke`: who may come in."""

import argparse
from typing import Any

from chalicelib import runtime, settings
from chalicelib.local import composition
from chalicelib.services.access import SCOPES


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    actions = commands.add_parser("keys", help="make, list and revoke keys").add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="make a key and show it, this once")
    create.add_argument("--owner", required=True, help="whose pictures the key is about")
    create.add_argument("--scope", required=True, action="append", choices=SCOPES, help="what it may do; may be repeated")
    create.set_defaults(run=_create)
    actions.add_parser("list", help="every key there ever was, without its secret").set_defaults(run=_list)
    revoke = actions.add_parser("revoke", help="make a key useless")
    revoke.add_argument("id", help="the key's id, as list shows it")
    revoke.set_defaults(run=_revoke)


def _create(chosen: argparse.Namespace) -> int:
    api_key, text = runtime.current().access.create(chosen.owner, chosen.scope)
    print(f"Key {api_key.id} for {api_key.owner} ({', '.join(api_key.scopes)}). Keep it: it cannot be shown again.")
    print(text)
    return 0


def _list(_: argparse.Namespace) -> int:
    for api_key in composition.compose_as_it_is(settings.from_env()).access.all():
        state = f"revoked {api_key.revoked_at:%Y-%m-%d %H:%M}" if api_key.revoked_at else "good"
        scopes, made = ",".join(api_key.scopes), f"{api_key.created_at:%Y-%m-%d %H:%M}"
        print(f"{api_key.id}  {api_key.owner:24}  {scopes:16}  made {made}  {state}")
    return 0


def _revoke(chosen: argparse.Namespace) -> int:
    runtime.current().access.revoke(chosen.id)
    print(f"Key {chosen.id} is revoked.")
    return 0
