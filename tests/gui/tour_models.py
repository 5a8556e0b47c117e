"""Pictures of the model picker with models of a local server, of keys and servers, and of the dialogs behind them."""

from __future__ import annotations

from collections.abc import Callable

from app.bootstrap import Services
from app.chat_models.providers.ollama import OLLAMA_URL
from app.chat_models.providers.openai import LM_STUDIO_URL
from app.gui.desktop import Desktop
from app.gui.widgets.pick_list import PickList
from app.gui.widgets.provider_dialog import ProviderDialog
from tests.chat_models.stub_server import StubServer
from tests.services.model_stub import by_path

OLLAMA = {
    "models": [
        {"name": "qwen3:8b", "details": {"parameter_size": "8.2B", "quantization_level": "Q4_K_M"}},
        {"name": "llama3.2-vision:11b", "details": {"parameter_size": "10.7B", "quantization_level": "Q4_K_M"}},
    ]
}
SHOWN = {"capabilities": ["completion", "tools", "vision"], "model_info": {"llama.context_length": 131072}}
LM_STUDIO = {
    "data": [{"id": "gemma-3-4b", "type": "vlm", "quantization": "Q4_0", "max_context_length": 131072}],
}


class ModelTour:
    """Leads the window through its model picker, over a scripted server."""

    def __init__(
        self,
        desktop: Desktop,
        services: Services,
        take: Callable[..., None],
        wait_for: Callable[[Callable[[], bool], str], None],
    ) -> None:
        self._desktop = desktop
        self._settings = services.settings
        self._take = take
        self._wait_for = wait_for
        self._wiring = desktop.composer_wiring.models

    def run(self) -> None:
        """Take all pictures."""
        with StubServer() as stub:
            stub.script(by_path({"/api/tags": OLLAMA, "/api/show": SHOWN, "/api/v0/models": LM_STUDIO}))
            self._settings.set(OLLAMA_URL, stub.url)
            self._settings.set(LM_STUDIO_URL, f"{stub.url}/v1")
            self._pick()
            self._key()
            self._server()
        for setting in (OLLAMA_URL, LM_STUDIO_URL):
            self._settings.reset(setting)

    def _pick(self) -> None:
        picker = self._wiring.pick_model()
        self._wait_for(lambda: picker.model.rowCount() > 4 and "gemma" in self._names(picker), "the local models")
        self._take("models", picker)
        picker.hide()
        self._wiring.pick_provider()
        self._wait_for(lambda: self._wiring.provider_list is not None, "keys and servers")
        self._take("keys-and-servers", self._wiring.provider_list)
        if self._wiring.provider_list is not None:
            self._wiring.provider_list.hide()

    def _key(self) -> None:
        dialog = self._open("anthropic", "claude-sonnet-4-5")
        dialog.key.setText("sk-not-a-real-key-at-all")
        dialog.say(
            "Anthropic refused the key. Is it complete, active and for this provider? See also ANTHROPIC_API_KEY.",
            failed=True,
        )
        self._take("key-dialog", dialog)
        dialog.reject()

    def _server(self) -> None:
        dialog = self._open("lmstudio")
        dialog.test_button.click()
        self._wait_for(lambda: "It works" in dialog.outcome.text(), "the answer of the server")
        self._take("server-dialog", dialog)
        dialog.reject()

    def _open(self, name: str, model: str = "") -> ProviderDialog:
        self._wiring.providers.open(name, model)
        self._wait_for(lambda: self._wiring.providers.dialog is not None, "the dialog")
        assert self._wiring.providers.dialog is not None  # waited for
        return self._wiring.providers.dialog

    def _names(self, picker: PickList) -> str:
        return " ".join(str(picker.model.data(picker.model.index(row))) for row in range(picker.model.rowCount()))
