"""The attacks of a decoder that does not run as root, in a child started by root."""

from tests.unit.attacks import become_a_user, work

__all__ = ["prepare", "work"]


def prepare() -> None:
    become_a_user()
