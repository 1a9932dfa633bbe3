"""How packaging puts the page together. Where `make javascript` has not brought esbuild, these tests are skipped."""

import re
import shutil
from pathlib import Path

import pytest

from infra.page import put_together
from tests.system_packages import MissingPackageError

CHECKOUT = Path(__file__).parents[2]
WEB = CHECKOUT / "chalicelib" / "web"
#: What is written into the documents when they are served.
FILLED_IN = sorted(set(re.findall(r'replace\("(\{\w+\})"', (CHECKOUT / "chalicelib" / "api" / "web.py").read_text("utf-8"))))


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A copy of the page's files."""
    if not (CHECKOUT / "node_modules" / "esbuild").is_dir():
        raise MissingPackageError("esbuild is missing here: make javascript")
    return shutil.copytree(WEB, tmp_path / "web")


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text("utf-8") + text, "utf-8")


def together(web: Path) -> dict[str, str]:
    put_together(web)
    return {path.name: path.read_text("utf-8") for path in web.iterdir()}


def test_four_things_are_filled_in() -> None:
    """So that a refusal is tried for each."""
    assert FILLED_IN == ["{edition}", "{preloads}", "{public_url}", "{root}"]


def test_the_documents_hold_all_but_the_icon(web: Path) -> None:
    files = together(web)
    assert sorted(files) == ["docs.html", "icon.svg", "index.html"]
    for name in ("docs.html", "index.html"):
        assert set(re.findall(r"/web/\{edition\}/([^\"]+)", files[name])) == {"icon.svg"}
        assert files[name].count("<style>") == files[name].count('<script type="module">') == 1


def test_the_same_files_make_the_same_page_and_a_changed_one_another(web: Path, tmp_path: Path) -> None:
    again, script, style = (shutil.copytree(web, tmp_path / name) for name in ("again", "script", "style"))
    add(script / "dom.js", "\nexport const added = document.title;\nconsole.log(added);\n")
    add(style / "uploads.css", "\n.added { color: red; }\n")
    files = together(web)
    assert together(again) == files
    assert {name for name, text in together(script).items() if text != files[name]} == {"docs.html", "index.html"}
    assert {name for name, text in together(style).items() if text != files[name]} == {"index.html"}


def test_what_would_end_an_element_is_written_otherwise(web: Path) -> None:
    add(web / "main.js", '\nconsole.log("</script><b>", "</SCRIPT>");\n')
    add(web / "page.css", '\n.added::after { content: "</style><b>"; }\n')
    page = together(web)["index.html"]
    assert "<b>" not in page.replace("<\\/script><b>", "").replace("<\\/style><b>", "")
    assert len(re.findall("</script", page, re.IGNORECASE)) == len(re.findall("</style", page, re.IGNORECASE)) == 1


@pytest.mark.parametrize("unfit", [*FILLED_IN, "<!--"])
@pytest.mark.parametrize("file", ["main.js", "page.css"])
def test_what_is_filled_in_or_read_as_markup_is_refused(web: Path, file: str, unfit: str) -> None:
    added = f'console.log("{unfit}");' if file.endswith(".js") else f'.added::after {{ content: "{unfit}"; }}'
    add(web / file, f"\n{added}\n")
    with pytest.raises(SystemExit, match=re.escape(f"it holds {unfit}, which")):
        put_together(web)


@pytest.mark.parametrize(
    ("file", "added", "said"),
    [
        ("main.js", "console.log(import.meta.url);", "it holds import.meta, which does not say where the file was"),
        ("main.js", 'import "./nowhere.js";', 'Could not resolve "./nowhere.js"'),
        ("page.css", ".added { background: url(picture.png); }", 'Could not resolve "picture.png"'),
        ("index.html", '<script src="{root}/web/{edition}/main.js"></script>', "index.html names main.js in a way"),
    ],
)
def test_what_cannot_be_put_together_is_told(web: Path, file: str, added: str, said: str) -> None:
    add(web / file, f"\n{added}\n")
    with pytest.raises(SystemExit, match=re.escape(said)):
        put_together(web)
