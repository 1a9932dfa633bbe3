"""Whose pictures a request is about."""

#: The owner of everything on a laptop, where nobody asks for a key.
LOCAL_OWNER = "local"


def owner() -> str:
    """The owner the current request acts for."""
    return LOCAL_OWNER
