"""The one way to make a view: it names who may ask and which parameters there are, and refusals are shaped for it."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib.api import auth
from chalicelib.api.http import refusal
from chalicelib.api.query import Query
from chalicelib.errors import BadRequestError, RepositoryError
from chalicelib.model.records import Scope

#: The scopes of a route that needs no key.
PUBLIC: tuple[Scope, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be made: `owner` is whose images it is about, empty where the route is public; `query` has what
    was given of the route's own parameters."""

    request: Request
    owner: str
    query: Query


View = Callable[..., Response]


def route(
    blueprint: Blueprint,
    method: str,
    path: str,
    scopes: Sequence[Scope],
    *,
    single: frozenset[str] = frozenset(),
    repeated: frozenset[str] = frozenset(),
    of_owner: bool = False,
    content_type: str = "application/json",
) -> Callable[[View], View]:
    """Register a view, which is called with what was `Asked` and the captures of the path.

    One of `scopes` is enough. `single` and `repeated` are the query parameters that may be given once and several times; any
    other is refused. With `of_owner` there is `owner` among them, by which an admin key names whose images it means. A body
    must be of `content_type`. What the view raises of the contract's errors is answered as such.
    """

    once = single | {"owner"} if of_owner else single

    def register(view: View) -> View:
        @functools.wraps(view)
        def guarded(**captures: Any) -> Response:
            request = blueprint.current_request
            try:
                return view(_asked(request), **captures)
            except RepositoryError as error:
                return refusal(error)

        def _asked(request: Request) -> Asked:
            query = query_of(request, once, repeated)
            if not scopes:
                return Asked(request, "", query)
            named = query.pop("owner", [None])[0]
            return Asked(request, auth.owner_for(request, *scopes, named=named), query)

        authorizer = auth.authorizer if scopes else None
        registered: View = blueprint.route(path, methods=[method], content_types=[content_type], authorizer=authorizer)(guarded)
        return registered

    return register


def query_of(request: Request, single: frozenset[str], repeated: frozenset[str]) -> dict[str, list[str]]:
    """The query parameters by name. Raises `BadRequestError` for one that is unknown, or given twice but may not be."""
    parameters = request.query_params
    values = {name: parameters.getlist(name) for name in parameters} if parameters else {}
    for name, given in values.items():
        if name not in single | repeated:
            raise BadRequestError(f"There is no query parameter {name[:50]!r} here: see /openapi.json for those there are.")
        if len(given) > 1 and name in single:
            raise BadRequestError(f"The query parameter {name!r} is given {len(given)} times: give it once.")
    return values
