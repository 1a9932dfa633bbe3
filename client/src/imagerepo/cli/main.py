"""The command's entry: arguments in, one command run, every failure one sentence and an exit code."""

import argparse
import os
import sys
import threading
from collections.abc import Callable, Sequence

from imagerepo.cli import arguments, download, images, upload
from imagerepo.cli.config import ConfigError, Target, target
from imagerepo.cli.exits import ACCESS, INTERRUPTED, NOBODY_READS, SOME_FAILED, UNAVAILABLE, USAGE
from imagerepo.cli.output import say
from imagerepo.client import Client
from imagerepo.errors import AccessError, ImageRepoError, UnavailableError

#: What runs a command: it has a client, where its state goes, and an event that ends all waiting; it returns the exit code.
Command = Callable[[argparse.Namespace, Client, Target, threading.Event], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns its exit code."""
    given = arguments.parser().parse_args(argv)
    # Names may hold anything: a terminal that cannot show a sign shows its escape.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # both are text files
    try:
        code = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain of the same when it closes the stream on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    except KeyboardInterrupt:
        say("Stopped. The same command goes on from here.")
        return INTERRUPTED
    return code


def _run(given: argparse.Namespace) -> int:
    stop = threading.Event()
    try:
        to = target(given.server, given.key)
        client = Client(to.server, to.key, owner=getattr(given, "owner", None), patience=given.patience, stop=stop)
    except (ConfigError, ValueError) as problem:
        return _failed(problem, USAGE)
    try:
        with client:
            return _command(given.command)(given, client, to, stop)
    except UnavailableError as problem:
        return _failed(problem, UNAVAILABLE)
    except AccessError as problem:
        return _failed(problem, ACCESS)
    except ImageRepoError as problem:
        return _failed(problem, SOME_FAILED)


def _failed(problem: Exception, code: int) -> int:
    say(f"imagerepo: {problem}")
    return code


def _command(name: str) -> Command:
    commands: dict[str, Command] = {
        "upload": upload.run,
        "list": images.list_images,
        "show": images.show,
        "download": download.run,
        "delete": images.delete,
        "status": images.status,
    }
    return commands[name]
