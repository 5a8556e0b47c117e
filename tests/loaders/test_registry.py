"""The registry finds loaders by walking a folder; what no loader may read is refused with a reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.documents import Section
from app.domain.errors import DocumentError, FailureReason
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.parser_limits import LARGEST_TEXT_MEGABYTES, PARSER_MEGABYTES, ParserLimits, SettingValues, T
from app.loaders.registry import EmptyRegistryError, Registry, load_document, loaders
from app.loaders.regular_file import error_for
from app.settings.setting import Setting
from tests.loaders.conftest import Load, Refused

COMMON = (
    ".txt .md .pdf .docx .pptx .xlsx .odt .rtf .csv .tsv .html .htm .epub .eml .py .js .ts .java .c .cpp .rs .go .sql"
)


def test_common_formats_are_supported(registry: Registry) -> None:
    assert set(COMMON.split()) <= registry.supported_extensions
    assert all(each == each.lower() and each.startswith(".") for each in registry.supported_extensions)


def test_thirty_languages_of_source_code_are_supported(registry: Registry) -> None:
    names = (Path("x" + extension) for extension in registry.supported_extensions)
    types = {loader.media_type(name) for name in names if (loader := registry.loader_for(name))}
    assert len([each for each in types if each.startswith("text/x-")]) >= 30


@pytest.mark.parametrize("name", ["A.PDF", "notes.Md", "Makefile", "README", "a.b.c.txt", ".txt.md"])
def test_loaders_are_told_by_name_whatever_its_case(registry: Registry, name: str) -> None:
    assert registry.loader_for(Path(name)) is not None


@pytest.mark.parametrize("name", ["film.mp4", "noextension", ".pdf", "archive.tar.xyz"])
def test_other_names_have_no_loader(registry: Registry, name: str) -> None:
    assert registry.loader_for(Path(name)) is None


def test_an_empty_registry_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "loaders_left_out"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(EmptyRegistryError):
        loaders("loaders_left_out")


def test_a_new_file_in_the_folder_is_a_new_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "loaders_of_another_kind"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "shout.py").write_text(
        "from app.domain.documents import Section\n"
        "from app.loaders.document_loader import DocumentLoader, LoadedDocument\n"
        "class ShoutLoader(DocumentLoader):\n"
        "    extensions = frozenset({'.shout'})\n"
        "    def media_type(self, path): return 'text/shout'\n"
        "    def load(self, path): return LoadedDocument([Section(path.read_text().upper())])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    found = loaders("loaders_of_another_kind")
    path = tmp_path / "a.shout"
    path.write_text("hello")

    document = load_document(path, ParserLimits(), found)

    assert (document.text, document.media_type, document.title) == ("HELLO", "text/shout", "a")


def test_two_loaders_for_one_extension_are_an_error() -> None:
    class One(DocumentLoader):
        extensions = frozenset({".one"})

        def media_type(self, path: Path) -> str:
            return path.name

        def load(self, path: Path) -> LoadedDocument:
            return LoadedDocument([Section(path.name)])

    with pytest.raises(ValueError, match=r"\.one"):
        Registry([One(), One()])


def test_unknown_kinds_are_unsupported(tmp_path: Path, refused: Refused) -> None:
    for name in ("film.mp4", "noextension"):
        (tmp_path / name).write_text("text")
        assert refused(tmp_path / name).reason is FailureReason.UNSUPPORTED


@pytest.mark.requirement("R13")
def test_empty_files_are_empty(tmp_path: Path, refused: Refused) -> None:
    for name in ("a.txt", "b.pdf", "c.docx"):
        (tmp_path / name).touch()
        assert refused(tmp_path / name).reason is FailureReason.EMPTY


def test_blank_files_hold_no_text(tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "blank.txt"
    path.write_text(" \n\t\n ")
    assert refused(path).reason is FailureReason.NO_TEXT


def test_files_that_went_away_are_not_found(tmp_path: Path, refused: Refused) -> None:
    assert refused(tmp_path / "gone.txt").reason is FailureReason.NOT_FOUND


@pytest.mark.skipif(sys.platform == "win32", reason="permissions work differently there")
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_files_without_permission_are_told(tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "secret.txt"
    path.write_text("secret")
    path.chmod(0)
    assert refused(path).reason is FailureReason.NO_PERMISSION


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied"), FailureReason.NO_PERMISSION),
        (FileNotFoundError(2, "No such file"), FailureReason.NOT_FOUND),
        (NotADirectoryError(20, "Not a directory"), FailureReason.NOT_FOUND),
        (OSError(5, "Input/output error"), FailureReason.DAMAGED),
    ],
)
def test_what_the_system_says_becomes_a_reason(tmp_path: Path, error: OSError, reason: FailureReason) -> None:
    told = error_for(tmp_path / "report.txt", error)
    assert told.reason is reason
    assert "report.txt" in str(told)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders there")
def test_pipes_devices_and_folders_are_refused_at_once(tmp_path: Path, refused: Refused) -> None:
    pipe, folder, device = tmp_path / "pipe.txt", tmp_path / "folder.txt", tmp_path / "device.txt"
    os.mkfifo(pipe)
    folder.mkdir()
    device.symlink_to("/dev/zero")
    for path in (pipe, folder, device):
        assert refused(path).reason is FailureReason.UNSUPPORTED


@pytest.mark.requirement("R13")
def test_huge_text_files_are_refused_without_being_read(tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "huge.log"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)  # a sparse file

    error = refused(path)

    assert error.reason is FailureReason.TOO_LARGE
    assert "2,000 MB" in str(error)
    assert "67 MB" in str(error)


def test_documents_with_too_much_text_are_refused(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "long.txt"
    path.write_text("word " * 100)
    with pytest.raises(DocumentError) as caught:
        load_document(path, ParserLimits(output_chars=200), registry)
    assert caught.value.reason is FailureReason.TOO_LARGE


def test_limits_come_from_settings() -> None:
    class Values(SettingValues):
        def __getitem__(self, setting: Setting[T], /) -> T:
            changed = {LARGEST_TEXT_MEGABYTES.key: 7, PARSER_MEGABYTES.key: 512}
            return setting.validate(changed.get(setting.key, setting.default))

    limits = ParserLimits.from_settings(Values())

    assert limits.text_bytes == 7 << 20
    assert limits.memory_bytes == 512 << 20
    assert limits.seconds == 120


def test_importing_every_loader_stays_cheap() -> None:
    # A parser process starts with this; heavy libraries are for the files that need them.
    code = (
        "import sys\n"
        "from app.loaders.registry import loaders\n"
        "import app.loaders.parser_process\n"
        "loaders()\n"
        "heavy = {'kreuzberg', 'pypdfium2', 'pypdf', 'numpy', 'charset_normalizer', 'psutil'} & set(sys.modules)\n"
        "sys.exit(' '.join(heavy) or None)\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_titles_prefer_what_the_file_states(tmp_path: Path, load: Load) -> None:
    (tmp_path / "a.md").write_text("---\ntitle: Stated\n---\n# Heading\n\ntext")
    (tmp_path / "b.md").write_text("# Heading of it\n\ntext")
    (tmp_path / "my_notes 2024.txt").write_text("text")
    titles = [load(path).title for path in sorted(tmp_path.iterdir())]
    assert titles == ["Stated", "Heading of it", "my_notes 2024"]
