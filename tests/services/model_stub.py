"""A model server that answers by path, whatever it is asked first."""

from __future__ import annotations

from collections.abc import Mapping

from tests.chat_models.stub_replies import Reply, json_reply
from tests.chat_models.stub_server import Handler, RecordedRequest

TAGS = {
    "models": [
        {
            "name": "qwen3:8b",
            "size": 5_200_000_000,
            "details": {"parameter_size": "8.2B", "quantization_level": "Q4_K_M"},
        },
        {"name": "nomic-embed-text:latest", "size": 274_000_000, "details": {}},
    ]
}
SHOWN = {
    "qwen3:8b": {
        "capabilities": ["completion", "tools", "thinking"],
        "model_info": {"qwen3.context_length": 40960},
    },
    "nomic-embed-text:latest": {"capabilities": ["embedding"], "model_info": {}},
}


def by_path(replies: Mapping[str, object]) -> Handler:
    """Answers with the JSON of a path, a ``Reply`` as it is, 404 for any other path."""

    def handle(request: RecordedRequest) -> Reply:
        found = replies.get(request.path)
        if request.path == "/api/show" and found is None and "/api/tags" in replies:
            found = SHOWN[request.json["model"]]
        if found is None:
            return json_reply({"error": {"message": "there is nothing here"}}, 404)
        return found if isinstance(found, Reply) else json_reply(found)

    return handle
