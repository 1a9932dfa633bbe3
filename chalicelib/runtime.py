"""The one repository that this process works for: built from the environment when it is first asked for."""

import threading

from chalicelib import settings as settings_module
from chalicelib.repository import Decoder, Repository
from chalicelib.settings import Settings


def build(settings: Settings, decoder: Decoder | None = None) -> Repository:
    """Put a repository together: on a laptop migrated, and its catalog the store's own; on AWS without any connection made.

    Raises `UnavailableError` where a laptop's database is out of reach, `ForeignStoreError` where its catalog and store do not
    belong together. `decoder` replaces what decodes otherwise.
    """
    if settings.on_lambda:
        from chalicelib.aws import composition as on_aws

        return on_aws.compose(settings, decoder)
    from chalicelib.local import composition as on_a_laptop

    return on_a_laptop.compose(settings, decoder)


class _Process:
    """What this process runs, once something has asked for it."""

    def __init__(self) -> None:
        self._repository: Repository | None = None
        self._lock = threading.Lock()

    def get(self) -> Repository:
        with self._lock:
            if self._repository is None:
                self._repository = build(settings_module.from_env())
            return self._repository

    def set(self, repository: Repository | None) -> Repository | None:
        with self._lock:
            before, self._repository = self._repository, repository
            return before


_process = _Process()


def current() -> Repository:
    """This process's repository, built from the environment when it is first asked for."""
    return _process.get()


def use(repository: Repository | None) -> Repository | None:
    """Make `repository` this process's own, or with `None` have it built anew; returns what was before."""
    return _process.set(repository)
