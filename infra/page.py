"""The page of a package: each of its documents holds its own scripts and styles, so that a visit is one request.

A laptop serves the files of `chalicelib/web` as they lie there. On AWS each of them would be an invocation of its own, and as
many at once as a browser asks for, each of which may have to start an environment.
"""

import re
import subprocess
import sys
from pathlib import Path

_ESBUILD = Path(__file__).parent.parent / "node_modules" / "esbuild" / "bin" / "esbuild"
#: The language is that of tsconfig.json: what is written there is shortened, not translated.
_OPTIONS = ("--bundle", "--minify", "--format=esm", "--target=es2023", "--charset=utf8", "--legal-comments=none")
_PRELOADS = "{preloads}\n"
_STYLE = re.compile(r'<link rel="stylesheet" href="\{root\}/web/\{edition\}/([\w-]+\.css)">\n')
_SCRIPT = re.compile(r'<script type="module" src="\{root\}/web/\{edition\}/([\w-]+\.js)"></script>\n')
_NAMED = re.compile(r'"\{root\}/web/\{edition\}/([^"]+\.(?:css|js))"')
#: What a document must not hold inside of a script or a style, and what becomes of it there.
_UNFIT = {
    **dict.fromkeys(("{root}", "{edition}", "{public_url}", "{preloads}"), "is filled in when the page is served"),
    **dict.fromkeys(("</script", "</style", "<!--"), "is read as markup"),
    "import.meta": "does not say where the file was",
}


def put_together(web: Path) -> None:
    """Rewrite the documents of this folder, and remove what they hold from now on. What does not fit ends the program."""
    for path in sorted(web.glob("*.html")):
        path.write_text(_whole(path, path.read_text("utf-8")), "utf-8", newline="\n")
    for path in web.iterdir():
        if path.suffix in (".css", ".js", ".ts"):
            path.unlink()


def _whole(path: Path, document: str) -> str:
    document = document.replace(_PRELOADS, "")
    styles, scripts = _STYLE.findall(document), _SCRIPT.findall(document)
    css = _bundled(path, "css", "".join(f'@import "./{name}";' for name in styles))
    js = _bundled(path, "js", "".join(f'import "./{name}";' for name in scripts))
    # Just as chalicelib/api/web.py looks for them.
    document = _in_place(_STYLE, f"<style>{css}</style>\n", document)
    document = _in_place(_SCRIPT, f'<script type="module">{js}</script>\n', document)
    if left := _NAMED.search(document):
        raise SystemExit(f"{path.name} names {left[1]} in a way that infra/page.py does not know.")
    return document


def _in_place(pattern: re.Pattern[str], element: str, document: str) -> str:
    """The element where the first match was, and no other match."""
    first = pattern.search(document)
    return document if first is None else document[: first.start()] + element + pattern.sub("", document[first.start() :])


def _bundled(path: Path, language: str, entry: str) -> str:
    """What the entry imports from the document's folder, with all that this imports, as one text."""
    if not _ESBUILD.is_file():
        raise SystemExit("esbuild is missing, which puts the page together: `make package` installs it into node_modules.")
    command = [str(Path(sys.executable).with_name("node")), str(_ESBUILD), f"--loader={language}", *_OPTIONS]
    done = subprocess.run(  # noqa: S603 - our own
        command, cwd=path.parent, input=entry, check=False, capture_output=True, encoding="utf-8"
    )
    if done.returncode != 0 or done.stderr:
        raise SystemExit(f"The {language} of {path.name} cannot be put together:\n{done.stderr}")
    text = done.stdout.strip()
    for unfit, why in _UNFIT.items():
        if unfit in text.lower():
            raise SystemExit(f"The {language} of {path.name} cannot stand in the page: it holds {unfit}, which {why} there.")
    return text
