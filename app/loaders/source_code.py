"""Source code, cut at top-level definitions by blank lines and indentation alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from app.domain.documents import Section, SectionKind
from app.loaders.document_loader import DocumentLoader, LoadedDocument
from app.loaders.text_decoding import read_text

SMALL_BLOCK = 800
LONGEST_HEADING = 120
_LANGUAGES = {
    "x-python": ".py .pyi .pyw", "javascript": ".js .mjs .cjs .jsx", "typescript": ".ts .mts .cts .tsx",
    "x-java": ".java", "x-kotlin": ".kt .kts", "x-scala": ".scala .sc", "x-groovy": ".groovy .gradle",
    "x-c": ".c .h", "x-c++": ".cc .cpp .cxx .c++ .hh .hpp .hxx .ino", "x-csharp": ".cs .csx",
    "x-fsharp": ".fs .fsi .fsx",
    "x-vb": ".vb .bas", "x-objective-c": ".m .mm", "x-swift": ".swift", "x-go": ".go", "x-rust": ".rs", "x-zig": ".zig",
    "x-d": ".d", "x-nim": ".nim", "x-ruby": ".rb .rake .gemspec", "x-perl": ".pl .pm", "x-php": ".php",
    "x-lua": ".lua", "x-r": ".r", "x-julia": ".jl", "x-matlab": ".matlab", "x-fortran": ".f .f90 .f95 .for",
    "x-pascal": ".pas .pp", "x-ada": ".adb .ads", "x-cobol": ".cob .cbl", "x-haskell": ".hs .lhs",
    "x-ocaml": ".ml .mli",
    "x-elixir": ".ex .exs", "x-erlang": ".erl .hrl", "x-clojure": ".clj .cljs .cljc .edn",
    "x-lisp": ".lisp .el .scm .rkt",
    "x-dart": ".dart", "x-solidity": ".sol", "x-verilog": ".v .sv .vhd .vhdl", "x-assembly": ".asm .s",
    "x-sh": ".sh .bash .zsh .fish .ksh", "x-powershell": ".ps1 .psm1", "x-bat": ".bat .cmd", "x-sql": ".sql",
    "x-graphql": ".graphql .gql", "x-protobuf": ".proto .thrift", "x-terraform": ".tf .hcl", "x-cmake": ".cmake",
    "x-make": ".mk", "css": ".css .scss .sass .less", "x-vue": ".vue .svelte",
    "x-ini": ".ini .cfg .conf .properties .env",
    "x-toml": ".toml", "x-yaml": ".yaml .yml", "x-diff": ".diff .patch", "x-awk": ".awk", "x-tcl": ".tcl",
}  # fmt: skip
_NAMES = frozenset(
    {
        "makefile",
        "dockerfile",
        "rakefile",
        "gemfile",
        "jenkinsfile",
        "vagrantfile",
        "cmakelists.txt",
        "build",
        "justfile",
    }
)
_TYPES = {extension: f"text/{name}" for name, extensions in _LANGUAGES.items() for extension in extensions.split()}
_CONTINUES = re.compile(r"^(\s|[)\]}]|end\b|else\b|elif\b|except\b|finally\b|catch\b|then\b|fi\b|done\b|esac\b|\{\s*$)")
_LEADS_IN = re.compile(r"^(@|#|//|/\*|\*|--|;;|%|\"\"\"|'''|\[|<!--)")
_DEFINES = re.compile(
    r"^(?:(?:export|default|pub(?:\([\w: ]+\))?|public|private|protected|internal|static|abstract|final|sealed|open|"
    r"data|async|unsafe|extern(?: \"C\")?|inline|virtual|constexpr|template\s*<[^>]*>|partial|override|suspend)\s+)*"
    r"(?:def|class|func|fn|function|fun|sub|procedure|interface|struct|enum|union|impl|trait|module|namespace|package|"
    r"object|protocol|extension|record|type|typedef|macro_rules!|defmodule|defn|defun|create|resource|message|service)\b",
    re.IGNORECASE,
)


class SourceCodeLoader(DocumentLoader):
    """Source code and configuration of some sixty languages, told by extension."""

    extensions = frozenset(_TYPES)
    names = _NAMES
    plain_text = True

    def media_type(self, path: Path) -> str:
        """Return ``text/x-python`` and its like."""
        return _TYPES.get(path.suffix.lower(), "text/x-source")

    def load(self, path: Path) -> LoadedDocument:
        """Read one section for every large top-level definition; small neighbours share one."""
        sections = [
            Section(text, headings=(heading,) if heading else (), kind=SectionKind.CODE)
            for text, heading in _gathered(top_level_blocks(read_text(path)))
        ]
        return LoadedDocument(sections, title=path.name)


def top_level_blocks(text: str) -> Iterator[str]:
    """Yield runs of lines that start without indentation after a blank line; blank lines between them are left out."""
    block: list[str] = []
    after_blank = False
    for line in text.split("\n"):
        starts = after_blank and line.strip() and not _CONTINUES.match(line)
        if starts and any(not _LEADS_IN.match(each) for each in block if each.strip()):
            yield "\n".join(block).strip("\n").rstrip()
            block = []
        block.append(line)
        after_blank = not line.strip()
    if rest := "\n".join(block).strip("\n").rstrip():
        yield rest


def _gathered(blocks: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Join small blocks to texts of up to ``SMALL_BLOCK`` characters; yield each text with its heading, or ""."""
    pending = ""
    for block in blocks:
        joined = f"{pending}\n\n{block}" if pending else block
        if len(joined) <= SMALL_BLOCK:
            pending = joined
            continue
        if pending:
            yield pending, _definition(pending)
        pending = block
    if pending:
        yield pending, _definition(pending)


def _definition(block: str) -> str:
    """The line that defines what ``block`` holds, or "" if it holds several definitions or none."""
    found = [line for line in block.split("\n") if _DEFINES.match(line)]
    return found[0].rstrip(" {:=")[:LONGEST_HEADING] if len(found) == 1 else ""
