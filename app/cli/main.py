"""The command line: one subcommand a task, the window without one."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from app.cli.output import Output
from app.cli.scopes import add_scope_options
from app.domain.errors import BadInputError, UserFacingError
from app.settings.logs import log_file, start_log
from app.settings.paths import PROFILE_VARIABLE, AppPaths
from app.settings.resources import resource

Command = Callable[[argparse.Namespace, Output], int]
EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 1, 2, 130, 141

log = logging.getLogger(__name__)


def run(arguments: Sequence[str], open_window: Callable[[Path | None], int]) -> int:
    """Parse and execute; without a command open the window, with the sample folder if that is asked for.

    Returns the exit status: 0 done, 1 something failed, 2 bad input, 130 interrupted.
    """
    options = build_parser().parse_args(arguments)
    output = Output(sys.stdout, sys.stderr, as_json=getattr(options, "json", False))
    if options.profile is not None:
        os.environ[PROFILE_VARIABLE] = options.profile  # the processes that this one starts belong to it too
    try:
        paths = AppPaths.from_environment(os.environ)
        handler = start_log(paths)
        try:
            return _execute(options, output, paths, open_window)
        finally:
            logging.getLogger().removeHandler(handler)
            handler.close()
    except UserFacingError as error:
        output.problem(str(error))
        # An error of chat input is a ValueError: what was asked for can't be, and nothing was sent.
        return EXIT_BAD_INPUT if isinstance(error, BadInputError | ValueError) else EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader (`head`) has what it wanted; Python must not complain at exit about the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE


def _execute(
    options: argparse.Namespace, output: Output, paths: AppPaths, open_window: Callable[[Path | None], int]
) -> int:
    """Run the command. A bug of ours is told in words; its traceback goes to the log."""
    try:
        if options.command in (None, "gui"):
            return open_window(resource("sample") if options.sample else None)
        return _command(options.command)(options, output)
    except (UserFacingError, BrokenPipeError):
        raise
    except Exception:
        log.exception("footnote %s failed", options.command)
        output.problem(f"Something went wrong inside Footnote. The details are in {log_file(paths)}.")
        return EXIT_FAILED


class _ShowVersion(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from app.services.diagnosis import own_version

        sys.stdout.write(f"footnote {own_version()}\n")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(
        prog="footnote", description="Ask questions of your own files; every sentence of an answer has a footnote."
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show Footnote's version")
    parser.add_argument("--profile", metavar="NAME", help="work in this profile (see: footnote profiles)")
    parser.add_argument("--sample", action="store_true", help="open the window with the sample library")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add(commands, "gui", "open the window (what happens without a command)")
    _add_library(commands)
    _add_search(commands)
    _add_evaluate(commands)
    _add_ask(commands)
    _add_whole_documents(commands)
    _add_collections(commands)
    _add_models(commands)
    _add_profiles(commands)
    _add_chats(commands)
    _add_upkeep(commands)
    return parser


def _add_library(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    ingest = _add(commands, "ingest", "read files and folders into the library, and follow the folders")
    ingest.add_argument("paths", nargs="+", metavar="PATH|URL", help="files, folders, archives, web pages (https://…)")
    ingest.add_argument("--collection", metavar="NAME", help="add them to this collection, made if there is none")
    ingest.add_argument("--dry-run", action="store_true", help="only say how many files would be read, and how large")
    folders = _add(commands, "folders", "list followed folders, or: folders remove PATH, exclude PATH, rescan [PATH]")
    folders.add_argument("action", nargs="?", choices=("remove", "exclude", "rescan"))
    folders.add_argument("path", nargs="?", type=Path, metavar="PATH")
    watch = _add(commands, "watch", "follow folders until interrupted, and print what happens in them")
    watch.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    _add(commands, "documents", "list the documents of the library")
    refresh = _add(commands, "refresh", "fetch web pages of the library again, and read what has changed")
    refresh.add_argument("url", nargs="?", metavar="URL", help="the page to fetch (default: all of them)")
    remove = _add(commands, "remove", "take a file or folder out of the library (the file itself stays)")
    remove.add_argument("path", metavar="PATH|URL")


def _add_ask(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    ask = _add(commands, "ask", "answer a question from the library")
    ask.add_argument("question", metavar="QUESTION")
    ask.add_argument("--model", default="extractive", help="which model answers (default: extractive, offline)")
    ask.add_argument(
        "--attach", action="append", default=[], metavar="FILE", help="a file or picture for this question only"
    )
    add_scope_options(ask)


def _add_profiles(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    profiles = _add(commands, "profiles", "list profiles (homes with their own library, chats and keys), or change one")
    profiles.add_argument("action", nargs="?", choices=("list", "create", "rename", "delete"))
    profiles.add_argument("name", nargs="?", metavar="NAME")
    profiles.add_argument("new", nargs="?", metavar="NEW", help="the new name")


def _add_upkeep(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    reindex = _add(commands, "reindex", "embed the library with another search model, while the old one answers")
    reindex.add_argument("--model", metavar="FOLDER", help="the model's folder (default: the one of the settings)")
    reindex.add_argument("--passage-tokens", type=int, metavar="N", help="cut documents into passages of another size")
    reindex.add_argument("--dry-run", action="store_true", help="tell what it would cost, change nothing")
    doctor = _add(commands, "doctor", "show versions, folders, model and index, and check the databases")
    doctor.add_argument("--check", action="store_true", help="read everything and say what is wrong")
    doctor.add_argument("--repair", action="store_true", help="check, and make damaged data again; deletes no text")


def _add_models(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    models = _add(
        commands,
        "models",
        "list chat models; try one out: models test PROVIDER:MODEL; keys: models key PROVIDER [--remove];"
        " search models: models embedding|reranker [list|download NAME|use NAME]",
    )
    models.add_argument("action", nargs="?", choices=("test", "key", "embedding", "reranker"))
    models.add_argument("spec", nargs="?", metavar="PROVIDER:MODEL|PROVIDER|list|download|use")
    models.add_argument("name", nargs="?", metavar="NAME")
    models.add_argument("--remove", action="store_true", help="with key: take the key out of the system's keyring")


def _add_whole_documents(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    model = "which model answers (default: extractive, offline)"
    summarise = _add(commands, "summarise", "read all of a file of the library and say what is in it")
    summarise.add_argument("path", metavar="FILE|URL")
    summarise.add_argument("--model", default="extractive", help=model)
    find = _add(commands, "find", "look through every file of the library and name all that answer")
    find.add_argument("question", metavar="QUESTION")
    find.add_argument("--model", default="extractive", help=model)
    add_scope_options(find)


def _add_search(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    search = _add(commands, "search", "find passages")
    search.add_argument("query", nargs="?", metavar="QUERY")
    search.add_argument("-k", type=int, default=10, metavar="N", help="how many passages (default 10)")
    search.add_argument("--mode", choices=("hybrid", "dense", "keyword"), default="hybrid")
    search.add_argument("--excerpts", action="store_true", help="join passages side by side, leave weak ones out")
    search.add_argument(
        "--batch", metavar="FILE", help='one query a line, or JSON {"id", "text"}; - reads standard input'
    )
    add_scope_options(search)


def _add_chats(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    chats = _add(commands, "chats", "list chats; chats search WORDS, export FILE|FOLDER, import FILE")
    chats.add_argument("action", nargs="?", choices=("list", "search", "export", "import"))
    chats.add_argument("what", nargs="?", metavar="WORDS|FILE|FOLDER")
    chats.add_argument("--format", choices=("md", "html", "json"), help="of an export (default: as the file is named)")
    chats.add_argument("--chat", metavar="ID|TITLE", help="export only this chat, to one file")


def _add_collections(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    collections = _add(commands, "collections", "list collections of documents, or change one")
    collections.add_argument("action", nargs="?", choices=("create", "rename", "delete", "add", "remove"))
    collections.add_argument("name", nargs="?", metavar="NAME")
    collections.add_argument("paths", nargs="*", metavar="PATH|NEW", help="folders and files, or the new name")
    pack = _add(commands, "pack", "take documents with their search index to another computer, in one file")
    pack.add_argument("action", choices=("export", "verify", "import"))
    pack.add_argument("file", metavar="FILE")
    pack.add_argument("--collection", metavar="NAME", help="export only this one; import into this one")
    pack.add_argument(
        "--map", action="append", default=[], metavar="OLD=NEW", help="the folder OLD of the other computer is NEW here"
    )
    pack.add_argument("--dry-run", action="store_true", help="check, and only say what importing would do")


def _add_evaluate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evaluate = _add(commands, "evaluate", "score search on questions of your own, whose answers you know")
    evaluate.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help='JSON lines or CSV: "question", "file" (name, path, or pattern), maybe "page", "quote", "folder"…',
    )
    evaluate.add_argument("--from-feedback", action="store_true", help="use the footnotes you opened and your thumbs")
    evaluate.add_argument("--clear-feedback", action="store_true", help="forget those")
    evaluate.add_argument("--mode", choices=("all", "hybrid", "dense", "keyword"), default="all")
    evaluate.add_argument(
        "-k", "--k", type=int, default=10, metavar="N", help="how far down an answer may stand (default 10)"
    )
    evaluate.add_argument("--skip-bad", action="store_true", help="leave out lines that can't be used")


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    if name != "gui":
        command.add_argument("--json", action="store_true", help="one JSON object a line, for scripts")
    return command


def _command(name: str) -> Command:
    """The function behind a command; each module is imported only when its command runs."""
    if name == "ingest":
        from app.cli.ingest import ingest

        return ingest
    if name == "refresh":
        from app.cli.pages import refresh

        return refresh
    if name in ("folders", "watch"):
        from app.cli import folders

        return folders.folders if name == "folders" else folders.watch
    if name == "search":
        from app.cli.search import search

        return search
    if name == "evaluate":
        from app.cli.evaluate import evaluate

        return evaluate
    if name in ("ask", "summarise", "find"):
        return _answering(name)
    if name == "chats":
        from app.cli.chats import chats

        return chats
    if name == "models":
        from app.cli.models import models

        return models
    if name in ("reindex", "collections", "pack", "doctor", "profiles"):
        return _upkeep(name)
    from app.cli import documents

    return documents.list_documents if name == "documents" else documents.remove_documents


def _answering(name: str) -> Command:
    if name == "ask":
        from app.cli.ask import ask

        return ask
    from app.cli import whole_documents

    return whole_documents.summarise if name == "summarise" else whole_documents.find


def _upkeep(name: str) -> Command:
    if name == "profiles":
        from app.cli.profiles import profiles

        return profiles
    if name == "reindex":
        from app.cli.reindex import reindex

        return reindex
    if name == "collections":
        from app.cli.collections import collections

        return collections
    if name == "pack":
        from app.cli.pack import pack

        return pack
    from app.cli.doctor import doctor

    return doctor
