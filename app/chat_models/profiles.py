"""Model profiles."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do."""

    tool_call: bool = False
    structured_output: bool = False
    reasoning: bool = False
    temperature: bool = True
    attachment: bool = False


@dataclass(frozen=True, slots=True)
class Modalities:
    """What a model reads and writes: "text", "image", "audio", "video", "pdf"."""

    input: tuple[str, ...] = ("text",)
    output: tuple[str, ...] = ("text",)


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What is known of one model of one provider."""

    id: str
    provider: str
    name: str = ""
    capabilities: Capabilities = field(default_factory=Capabilities)
    modalities: Modalities = field(default_factory=Modalities)

    @property
    def unsupported_parameters(self) -> frozenset[str]:
        """Parameters that the model refuses."""
        from app.chat_models.call import SAMPLING_PARAMETERS

        return frozenset() if self.capabilities.temperature else SAMPLING_PARAMETERS
