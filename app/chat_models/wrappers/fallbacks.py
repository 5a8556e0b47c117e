"""Fallbacks: other models for when one fails."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from app.chat_models.call import Call
from app.chat_models.loop_thread import closing
from app.chat_models.model import ChatModel
from app.chat_models.wrappers.first_content import Started, started
from app.chat_models.wrappers.wrapper import Wrapper
from app.domain.chat_errors import ChatError, ChatInputError
from app.domain.messages import AIMessageChunk, Message

_LOGGER = logging.getLogger(__name__)


class Fallbacks(Wrapper):
    """Asks ``inner``, and the others one after another while they fail before their first content.

    Each model uses its own name and defaults under what the caller sets. Bad input is nobody's fault and is not passed
    on. When all fail the last error is raised, with notes about the others.
    """

    others: tuple[ChatModel, ...]
    """The models to ask when ``inner`` fails, in order."""

    async def _astream(self, messages: Sequence[Message], call: Call) -> AsyncIterator[AIMessageChunk]:
        stream = await self._first_that_answers(messages, call)
        async with closing(stream.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _first_that_answers(self, messages: Sequence[Message], call: Call) -> Started:
        models = (self.inner, *self.others)
        failures: list[str] = []
        for number, model in enumerate(models):
            try:
                return await started(model.chunks(messages, call))
            except ChatInputError:
                raise
            except ChatError as error:
                for failure in failures:
                    error.add_note(failure)
                failures.append(f"{model.provider} {model.model} failed before: {type(error).__name__}: {error}")
                if number + 1 == len(models):
                    raise
                _LOGGER.warning("%s failed (%s); asking %s", model.model, error, models[number + 1].model)
        raise AssertionError("the last model returns or raises")

    def identity(self, call: Call) -> Mapping[str, Any]:
        """The identities of all models, since any of them may answer."""
        bound = self.defaults.override(call)
        return {"any": [model.identity(bound) for model in (self.inner, *self.others)]}
