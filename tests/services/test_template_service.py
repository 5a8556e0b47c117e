"""Personas and prompt templates: files with variables, those of the program and those of the user."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import BadInputError
from app.services.template_service import Template, TemplateKind, TemplateService, as_choice, read_choice
from app.settings.resources import resource

PERSONA, PROMPT = TemplateKind.PERSONA, TemplateKind.PROMPT


@pytest.fixture
def service(tmp_path: Path) -> TemplateService:
    return TemplateService(tmp_path / "templates", resource("templates"))


@pytest.mark.parametrize("kind", TemplateKind)
def test_there_are_some_from_the_beginning(service: TemplateService, kind: TemplateKind) -> None:
    found = service.templates(kind)
    assert len(found) >= 4
    assert all(each.text and not each.own for each in found)


def test_an_own_one_is_kept_and_can_be_deleted(service: TemplateService) -> None:
    service.save(PERSONA, "  My   lawyer ", " Quote the law. ")
    assert service.template(PERSONA, "my lawyer") == Template(PERSONA, "My lawyer", "Quote the law.")
    service.delete(PERSONA, "My lawyer")
    with pytest.raises(BadInputError, match="Choose another"):
        service.template(PERSONA, "My lawyer")


def test_an_own_one_hides_one_of_the_program_until_it_is_deleted(service: TemplateService) -> None:
    before = service.template(PERSONA, "Brief")
    service.save(PERSONA, "Brief", "One word.")
    assert service.template(PERSONA, "Brief").text == "One word."
    service.delete(PERSONA, "Brief")
    assert service.template(PERSONA, "Brief") == before


@pytest.mark.parametrize("name", ["", "   ", "../up", "a/b", "a\\b", ".hidden", "x" * 61, "tab\0", "-dash", "what?"])
def test_names_that_are_no_file_names_are_refused(service: TemplateService, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError, match="begins with a letter"):
        service.save(PROMPT, name, "text")
    assert not (tmp_path / "templates").exists()


@pytest.mark.parametrize(("text", "words"), [(" \n", "empty"), ("x" * 20_001, "20,001")])
def test_texts_that_are_none_are_refused(service: TemplateService, text: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        service.save(PROMPT, "Name", text)


def test_a_file_that_is_no_text_is_left_out_and_left_alone(service: TemplateService, tmp_path: Path) -> None:
    service.save(PROMPT, "Good", "text")
    bad = tmp_path / "templates" / "prompts" / "Bad.md"
    bad.write_bytes(b"\xff\xfe\x00\xd8")
    names = [each.name for each in service.templates(PROMPT)]
    assert "Good" in names
    assert "Bad" not in names
    assert bad.read_bytes() == b"\xff\xfe\x00\xd8"


def test_variables_are_filled(service: TemplateService) -> None:
    template = service.save(PROMPT, "Two", "Compare {{first}} with {{ second thing }} and {{first}} again; {{}} stays.")
    assert template.variables == ("first", "second thing")
    assert (
        template.filled({"first": " a ", "second thing": "{{first}}"})
        == "Compare a with {{first}} and a again; {{}} stays."
    )
    with pytest.raises(BadInputError, match="needs a value for: second thing"):
        template.filled({"first": "a", "second thing": " "})


def test_a_persona_is_chosen_with_its_values(service: TemplateService) -> None:
    choice = as_choice("Tutor", {"subject": "law & order?", "language": "中文"})
    assert "law & order?" in service.instructions(choice)
    assert "中文" in service.instructions(choice)
    assert service.instructions("") == service.instructions("Gone") == service.instructions("Tutor") == ""


@given(
    st.text(max_size=30).filter(lambda name: "?" not in name),
    st.dictionaries(st.text(max_size=8), st.text(max_size=20)),
)
def test_a_choice_is_read_as_it_was_made(name: str, values: dict[str, str]) -> None:
    assert read_choice(as_choice(name, values)) == (name, values)
