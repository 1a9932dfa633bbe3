"""What API Gateway and the bucket say by themselves to web pages of another origin (CORS), said here by the laptop's server.

infra/template.yaml sets both up; `allowed` is what ALLOWED_ORIGIN names, `None` for nobody.
"""

from collections.abc import Mapping

_METHODS, _HEADERS, _SECONDS = "GET,HEAD,POST,DELETE,OPTIONS", "Authorization,Content-Type", "3600"
_STORE_METHODS, _STORE_EXPOSES = ("GET", "HEAD", "POST"), "ETag, Content-Disposition"


def of_api_preflight(allowed: str | None) -> dict[str, str]:
    """The gateway's answer to OPTIONS, the same for every path and whoever asks."""
    if allowed is None:
        return {}
    return {
        "Access-Control-Allow-Origin": allowed,
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _HEADERS,
        "Access-Control-Max-Age": _SECONDS,
    }


def of_store(allowed: str | None, method: str, headers: Mapping[str, str]) -> dict[str, str]:
    """What a bucket adds to its answers, refusals included: only where the page's origin and the method are allowed."""
    origin = headers.get("origin")
    if allowed is None or origin is None or allowed not in ("*", origin) or method not in _STORE_METHODS:
        return {}
    return {
        "Access-Control-Allow-Origin": allowed,
        "Access-Control-Allow-Methods": ", ".join(_STORE_METHODS),
        "Access-Control-Expose-Headers": _STORE_EXPOSES,
        "Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    }


def of_store_preflight(allowed: str | None, headers: Mapping[str, str]) -> dict[str, str]:
    """What a bucket answers to OPTIONS, every header allowed; empty where it refuses."""
    granted = of_store(allowed, headers.get("access-control-request-method", ""), headers)
    asked = headers.get("access-control-request-headers")
    if granted and asked:
        granted["Access-Control-Allow-Headers"] = asked
    return granted and {**granted, "Access-Control-Max-Age": _SECONDS}
