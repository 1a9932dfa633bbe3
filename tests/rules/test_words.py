"""The glossary: few words, each of which is the code's own, and none that was given up for it."""

import ast
import re

import pytest

from tests.rules.modules import CHECKOUT, Module, is_migration, product

_MOST_WORDS = 30
_ROW = re.compile(r"\| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
_CODE = re.compile(r"`([^`]+)`")
#: Words of earlier releases for what the glossary has words for; the catalog's columns and tables keep theirs.
_GIVEN_UP = re.compile(
    r"doomed?|left_?overs?|claim(ed|s)?(_at)?|ClaimLost|Refusal|StoreRefusal|Place|Send|Held|image_rows|_LARGEST_ID|MAX_ID"
)
#: Rooms in which it is files that claim.
_OF_FILES = {"imaging", "decoding"}


def glossary() -> list[tuple[str, list[str]]]:
    """Each word, and the names that it has in the code."""
    rows = _ROW.findall((CHECKOUT / "docs" / "glossary.md").read_text("utf-8"))
    return [(word, _CODE.findall(names)) for word, _, names in rows if _CODE.search(names)]


def names_of(module: Module) -> set[str]:
    """What a module defines, imports, reads or takes as an argument."""
    named: set[str] = {module.name}
    for node in ast.walk(module.tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
                named.add(name)
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.keyword(arg=str(name)):
                named.add(name)
            case _:
                pass
    return named


def test_the_glossary_is_short_and_says_each_word_once() -> None:
    words = [word for word, _ in glossary()]
    assert 20 <= len(words) <= _MOST_WORDS
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(("word", "names"), glossary(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_word_is_the_codes(word: str, names: list[str]) -> None:
    there = set().union(*(names_of(module) for module in product()))
    template = (CHECKOUT / "infra" / "template.yaml").read_text("utf-8")
    missing = {name for name in names if name not in there and not re.search(rf"\b{name}\b", template)}
    assert missing == set(), f"{word} is called otherwise in the code"


@pytest.mark.parametrize("module", product(), ids=str)
def test_no_word_that_was_given_up_is_used_as_a_name(module: Module) -> None:
    if not is_migration(module) and module.room not in _OF_FILES:
        columns = {"claim", "claimed_at"}  # as the table calls them, where a row is read
        assert {name for name in names_of(module) if _GIVEN_UP.fullmatch(name)} - columns == set()
