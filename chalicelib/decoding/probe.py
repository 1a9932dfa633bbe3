"""What a child loads that decodes nothing, and is started only to say what the fence lacks."""


def prepare() -> None:
    """There is nothing to load."""
