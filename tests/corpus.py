"""`make test-corpus CORPUS=folder`: takes in every file of a folder, and tells what became of each kind.

Ends with an error where a file met a crash, a 5xx or a hang, or has facts that exiftool does not agree with.
"""

import sys
import tempfile
from collections import Counter
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from chalicelib.model.facts import Facts
from tests.http.client import Answer, Api
from tests.http.server import running
from tests.judge import disagreements, verdicts


def outcome(answer: Answer) -> str:
    """In words: how an upload ended; what begins with FAULT must not be."""
    if answer.status == 201:
        return "stored"
    if answer.status == 200:
        return f"duplicate, {answer.json()['match']}"
    if answer.status in (413, 415, 422):
        said = answer.json()
        return f"refused, {said['Code']}: {said['Message']}"
    return f"FAULT {answer.status}"


def facts_of(details: dict[str, Any]) -> Facts:
    """The facts in an image's details."""
    camera, exposure, place = (details[group] or {} for group in ("camera", "exposure", "location"))
    known = {**details, **exposure, **place}
    known |= {"camera_make": camera.get("make"), "camera_model": camera.get("model"), "lens_model": camera.get("lens")}
    if known["taken_at"] is not None:
        known["taken_at"] = datetime.fromisoformat(known["taken_at"])
    values: dict[str, Any] = {field.name: known.get(field.name) for field in fields(Facts)}
    return Facts(**values)


def take_in(api: Api, folder: Path) -> tuple[Counter[str], dict[Path, Facts]]:
    """How many files ended how, and the facts of those that were stored."""
    outcomes: Counter[str] = Counter()
    facts: dict[Path, Facts] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        answer = api.upload(path.read_bytes(), "file")
        outcomes[outcome(answer)] += 1
        if answer.status == 201:
            facts[path] = facts_of(answer.json())
        elif answer.status >= 500 or answer.status == 202:
            print(f"{path}: {answer.status}")
    return outcomes, facts


def main(folder: Path) -> int:
    with tempfile.TemporaryDirectory() as storage, running(Path(storage)) as server:
        outcomes, facts = take_in(server.api, folder)
    disagreeing = 0
    for verdict in verdicts(folder):
        path = Path(verdict["SourceFile"])
        found = list(disagreements(facts[path], verdict)) if path in facts else []
        if found:
            print(f"{path}: {'; '.join(found)}")
            disagreeing += 1
    print()
    for ending, count in sorted(outcomes.items()):
        print(f"{count:8}  {ending}")
    print(f"{disagreeing:8}  with facts that exiftool does not agree with")
    faults = sum(count for ending, count in outcomes.items() if ending.startswith("FAULT"))
    return 1 if faults or disagreeing else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
