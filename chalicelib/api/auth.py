"""Who a request is from: keys are checked before the views run, and what the key may do once more in each view."""

from typing import Any

from chalice.app import AuthRequest, AuthResponse, AuthRoute, Blueprint, Request

from chalicelib import runtime, settings
from chalicelib.errors import ForbiddenError, UnauthorizedError
from chalicelib.model.records import ApiKey, Scope

#: The owner of everything where nobody is asked for a key.
LOCAL_OWNER = "local"
#: How long API Gateway may keep the answer for a key, in seconds: a revoked key works no longer than this.
CACHED_SECONDS = 60

blueprint = Blueprint(__name__)

_READY = AuthRoute("/health/ready", ["GET", "HEAD"])
#: What each scope opens, as one policy for all routes: API Gateway keeps it and asks it for every later request of the key.
_ROUTES: dict[Scope, list[AuthRoute]] = {
    "read": [AuthRoute("/image/*", ["GET", "HEAD"]), _READY],
    "write": [AuthRoute("/image/*", ["POST", "DELETE"]), AuthRoute("/image/uploads/*", ["GET", "HEAD"]), _READY],
    "admin": [AuthRoute("/image/*", ["GET", "HEAD", "DELETE"]), _READY],
}
#: An answer without a single permission has to say so: a policy with nothing in it is an error to API Gateway.
_NOBODY: dict[str, Any] = {
    "principalId": "nobody",
    "context": {},
    "policyDocument": {
        "Version": "2012-10-17",
        "Statement": [{"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": "*"}],
    },
}


@blueprint.authorizer(ttl_seconds=CACHED_SECONDS)
def check_key(request: AuthRequest) -> AuthResponse | dict[str, Any]:
    """Let a good key do what its scopes say, and tell the views who it is."""
    api_key = runtime.current().access.bearer(request.token)
    if api_key is None:
        return _NOBODY
    routes: list[str | AuthRoute] = [route for scope in api_key.scopes for route in _ROUTES[scope]]
    return AuthResponse(routes, principal_id=api_key.id, context=_context(api_key))


#: For the routes that are not public: nothing, where the settings say that no key is asked for.
authorizer = check_key if settings.from_env().auth == "keys" else None


def owner_for(request: Request, *scopes: Scope, named: str | None = None) -> str:
    """The owner the request acts for, with a key that has one of `scopes`. `named` is what an admin key may name in `?owner=`.

    Raises `UnauthorizedError` where keys are asked for and the request has passed no authorizer, and `ForbiddenError` for a
    key that lacks the scopes.
    """
    if runtime.current().settings.auth == "open":
        if named is not None:
            raise ForbiddenError("Only an admin key may name an owner.")
        return LOCAL_OWNER
    context = request.context.get("authorizer") or {}
    owner, granted = context.get("owner"), str(context.get("scopes", "")).split()
    if not owner:
        raise UnauthorizedError("A whole key is needed, as in Authorization: Bearer imr_….")
    if named is not None:
        if "admin" not in granted:
            raise ForbiddenError("Only an admin key may name an owner.")
        return named
    if not set(scopes) & set(granted):
        raise ForbiddenError(f"This needs a key with the scope {' or '.join(scopes)}.")
    return str(owner)


def _context(api_key: ApiKey) -> dict[str, str]:
    return {"owner": api_key.owner, "scopes": " ".join(api_key.scopes)}
