"""``footnote profiles``: homes of their own for several people, or several kinds of work."""

from __future__ import annotations

import argparse
import os

from app.cli.output import Output
from app.domain.errors import BadInputError
from app.services.profile_service import ProfileService, ProfileState
from app.settings.paths import AppPaths
from app.settings.profiles import Profile


def profiles(options: argparse.Namespace, output: Output) -> int:
    """List the profiles, or change one."""
    service = ProfileService(AppPaths.from_environment(os.environ))
    if options.action in (None, "list"):
        for state in service.states():
            output.row(_row(state.profile) | {"current": state.current, "process": state.owner}, _text(state))
        return 0
    if options.name is None:
        raise BadInputError(f"Say which: footnote profiles {options.action} NAME")
    if options.action == "create":
        made = service.create(options.name)
        output.row(_row(made), f"made “{made.name}”; footnote --profile “{made.name}” opens it")
    elif options.action == "rename":
        if options.new is None:
            raise BadInputError("Give the new name: footnote profiles rename NAME NEW")
        renamed = service.rename(options.name, options.new)
        output.row(_row(renamed), f"it is called “{renamed.name}” now")
    else:
        found = service.profile(options.name)
        place = service.delete(options.name)
        output.row(
            _row(found) | {"deleted": True, "folder": str(place)},
            f"deleted “{found.name}”. Its files lie in {place} until you erase that folder. To have it back, "
            f"move the folder to {found.paths.data.parent}. Its keys stay in the system's keyring.",
        )
    return 0


def _row(profile: Profile) -> dict[str, object]:
    return {"name": profile.name, "id": profile.id, "data": str(profile.paths.data)}


def _text(state: ProfileState) -> str:
    mark = "*" if state.current else " "
    owner = f"  (open, process {state.owner})" if state.owner else ""
    return f"{mark} {state.profile.name}{owner}  {state.profile.paths.data}"
