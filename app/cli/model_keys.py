"""``footnote models key PROVIDER``: a key into the system's keyring, or out of it."""

from __future__ import annotations

import argparse
import getpass
import os
import sys

from app.bootstrap import open_services
from app.cli.output import Output
from app.domain.errors import BadInputError
from app.services.provider_access import LONGEST_KEY

USAGE = "footnote models key PROVIDER [--remove]"


def model_key(options: argparse.Namespace, output: Output) -> int:
    """Store the key that stands in the standard input, or remove the stored one.

    Raises ``BadInputError`` for what is no key, ``ChatInputError`` for an unknown provider, ``AuthenticationError``
    where there is no keyring.
    """
    if not options.spec:
        raise BadInputError(f"Name the provider: {USAGE}")
    if options.name:  # a key in the command line would stay in the shell's history
        raise BadInputError(f"The key is read from the standard input, not from the command line: {USAGE}")
    with open_services(os.environ, writer=False) as services:
        access = services.provider_access.access(options.spec)
        if options.remove:
            services.provider_access.remove_key(access.name)
        else:
            services.provider_access.store_key(access.name, _read_key(access.label))
        now = services.provider_access.access(access.name)
    done = "removed from" if options.remove else "stored in"
    text = f"The key for {access.label} is {done} the system's keyring."
    if now.overruled:
        text += f" Note that {now.key_source} comes first."
    output.row({"provider": access.name, "stored": now.stored, "used_from": now.key_source or None}, text)
    return 0


def _read_key(label: str) -> str:
    """One line, without showing it on a terminal."""
    if sys.stdin.isatty():
        return getpass.getpass(f"Key for {label}: ")
    return sys.stdin.readline(LONGEST_KEY + 2)
