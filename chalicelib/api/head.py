"""HEAD wherever there is GET."""

from copy import copy

from chalice.app import Chalice


def declare_heads(app: Chalice) -> None:
    """Give every route that has GET a HEAD of the same view: API Gateway knows no method that is not declared.

    Views answer as to GET; who sends the answer leaves its body out, as HTTP asks of every server.
    """
    for methods in app.routes.values():
        if "GET" in methods:
            head = copy(methods["GET"])
            head.method = "HEAD"
            methods["HEAD"] = head
