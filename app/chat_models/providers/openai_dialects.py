"""Who speaks the OpenAI chat protocol, and how each of them differs from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.chat_models.call import PrefillStyle


class ForcedTool(StrEnum):
    """How a server is made to call one named tool."""

    NAMED = "named"  # tool_choice names the function
    ONLY_ONE = "only_one"  # tool_choice takes words only: offer that tool alone and require a call
    NEVER = "never"  # there is no tool_choice


class PrefillFlag(StrEnum):
    """What besides a trailing assistant message makes a server continue it."""

    NONE = "none"
    PREFIX = "prefix"  # "prefix": true on the message (Mistral, DeepSeek)
    CONTINUE = "continue"  # vLLM: continue_final_message and add_generation_prompt
    NO_THINKING = "no_thinking"  # llama.cpp refuses it while thinking is on


class ReasoningBack(StrEnum):
    """Which thoughts are sent back with the history."""

    NEVER = "never"
    DETAILS = "details"  # OpenRouter's reasoning_details, as they came
    TURN = "turn"  # as text, within the current turn of tool calls only (DeepSeek)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One server's way with the protocol.

    - ``max_tokens``: name of the field; ``system_role``; ``seed``: name of the field.
    - ``required``: the word for "some tool must be called", "" where there is none; ``forced_tool``.
    - ``stream_usage``: whether it takes ``stream_options``. ``names``: whether it takes a message's ``name``.
    - ``image_urls``: whether it fetches images by address; all take them as data.
    - ``json_schema``: whether it takes a schema, else only ``json_object``. ``strict``: whether it enforces it.
    - ``reasoning``: names of the delta's fields that hold thoughts; ``reasoning_back``; ``think_tags``: whether
      thoughts may stand in the text between ``<think>`` and ``</think>``.
    - ``effort``: "field" (``reasoning_effort``), "object" (``reasoning.effort``), "template" (a chat template's
      switch), or "" for none.
    - ``includes_stop``: whether the answer ends with the stop string when asked to.
    - ``call_id_length``: the length that ids of tool calls must have, 0 for any.
    """

    name: str
    label: str
    base_url: str = ""
    keys: tuple[str, ...] = ()
    base_url_variables: tuple[str, ...] = ()
    key_header: str = "authorization"
    local: bool = False
    max_tokens: str = "max_tokens"
    system_role: str = "system"
    seed: str = "seed"
    required: str = "required"
    forced_tool: ForcedTool = ForcedTool.NAMED
    stream_usage: bool = True
    names: bool = False
    image_urls: bool = True
    json_schema: bool = True
    strict: bool = True
    reasoning: tuple[str, ...] = ("reasoning_content", "reasoning")
    reasoning_back: ReasoningBack = ReasoningBack.NEVER
    think_tags: bool = False
    effort: str = "field"
    prefill: PrefillStyle = PrefillStyle.EMULATED
    prefill_flag: PrefillFlag = PrefillFlag.NONE
    prefill_path: str = ""
    includes_stop: bool = False
    call_id_length: int = 0
    unsupported: frozenset[str] = frozenset()


OPENAI = Dialect(
    "openai",
    "OpenAI",
    "https://api.openai.com/v1",
    keys=("OPENAI_API_KEY",),
    base_url_variables=("OPENAI_BASE_URL",),
    max_tokens="max_completion_tokens",
    names=True,
)
AZURE = Dialect(
    "azure",
    "Azure OpenAI",
    keys=("AZURE_OPENAI_API_KEY",),
    base_url_variables=("AZURE_OPENAI_ENDPOINT",),
    key_header="api-key",
    max_tokens="max_completion_tokens",
    names=True,
)
LLAMA_CPP = Dialect(
    "llama.cpp",
    "llama.cpp server",
    "http://127.0.0.1:8080/v1",
    keys=("LLAMA_API_KEY",),
    base_url_variables=("LLAMACPP_BASE_URL",),
    local=True,
    forced_tool=ForcedTool.ONLY_ONE,
    think_tags=True,
    effort="template",
    prefill=PrefillStyle.ECHO,
    prefill_flag=PrefillFlag.NO_THINKING,
)
LM_STUDIO = Dialect(
    "lmstudio",
    "LM Studio",
    "http://127.0.0.1:1234/v1",
    keys=("LMSTUDIO_API_KEY",),
    base_url_variables=("LMSTUDIO_BASE_URL",),
    local=True,
    forced_tool=ForcedTool.ONLY_ONE,
    image_urls=False,
    think_tags=True,
    effort="",
)
VLLM = Dialect(
    "vllm",
    "vLLM",
    "http://127.0.0.1:8000/v1",
    keys=("VLLM_API_KEY",),
    base_url_variables=("VLLM_BASE_URL",),
    local=True,
    think_tags=True,
    prefill=PrefillStyle.NATIVE,
    prefill_flag=PrefillFlag.CONTINUE,
    includes_stop=True,
)
HUGGING_FACE = Dialect(
    "huggingface",
    "Hugging Face",
    "https://router.huggingface.co/v1",
    keys=("HF_TOKEN", "HUGGINGFACEHUB_API_TOKEN"),
    think_tags=True,
)
GROQ = Dialect(
    "groq",
    "Groq",
    "https://api.groq.com/openai/v1",
    keys=("GROQ_API_KEY",),
    base_url_variables=("GROQ_BASE_URL",),
    max_tokens="max_completion_tokens",
    think_tags=True,
)
OPENROUTER = Dialect(
    "openrouter",
    "OpenRouter",
    "https://openrouter.ai/api/v1",
    keys=("OPENROUTER_API_KEY",),
    base_url_variables=("OPENROUTER_BASE_URL",),
    reasoning_back=ReasoningBack.DETAILS,
    effort="object",
)
DEEPSEEK = Dialect(
    "deepseek",
    "DeepSeek",
    "https://api.deepseek.com",
    keys=("DEEPSEEK_API_KEY",),
    base_url_variables=("DEEPSEEK_BASE_URL",),
    image_urls=False,
    json_schema=False,
    reasoning_back=ReasoningBack.TURN,
    effort="",
    prefill=PrefillStyle.NATIVE,
    prefill_flag=PrefillFlag.PREFIX,
    prefill_path="/beta/chat/completions",
    unsupported=frozenset({"seed", "parallel_tool_calls"}),
)
MISTRAL = Dialect(
    "mistral",
    "Mistral",
    "https://api.mistral.ai/v1",
    keys=("MISTRAL_API_KEY",),
    base_url_variables=("MISTRAL_BASE_URL",),
    seed="random_seed",
    required="any",
    stream_usage=False,  # it sends usage unasked and refuses fields that it doesn't know
    effort="",
    prefill=PrefillStyle.ECHO,
    prefill_flag=PrefillFlag.PREFIX,
    call_id_length=9,
)
XAI = Dialect(
    "xai",
    "xAI",
    "https://api.x.ai/v1",
    keys=("XAI_API_KEY",),
    base_url_variables=("XAI_BASE_URL",),
    max_tokens="max_completion_tokens",
)
TOGETHER = Dialect(
    "together",
    "Together AI",
    "https://api.together.xyz/v1",
    keys=("TOGETHER_API_KEY",),
    base_url_variables=("TOGETHER_BASE_URL",),
    think_tags=True,
)
GENERIC = Dialect(
    "openai-compatible",
    "The OpenAI-compatible server",
    keys=("OPENAI_COMPATIBLE_API_KEY",),
    base_url_variables=("OPENAI_COMPATIBLE_BASE_URL",),
    think_tags=True,
)

DIALECTS = (
    OPENAI, AZURE, LLAMA_CPP, LM_STUDIO, VLLM, HUGGING_FACE, GROQ, OPENROUTER, DEEPSEEK, MISTRAL, XAI, TOGETHER,
    GENERIC,
)  # fmt: skip
