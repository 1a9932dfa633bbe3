"""The emulator, which also writes down what it judged: python -P judging.py FILE

Each line names a principal, an action, a resource, and whether the principal's policies allow it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from ministack.app import main  # type: ignore[import-untyped] # it has no types
from ministack.core import iam_evaluator  # type: ignore[import-untyped] # nor this


def write_down_in(path: Path) -> None:
    judge = iam_evaluator.evaluate

    def evaluate(asked: Any, *policies: Any) -> Any:
        judgement = judge(asked, *policies)
        line = {"principal": asked.principal_arn, "action": asked.action, "resource": asked.resource_arn}
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "allowed": judgement.decision == "Allow"}) + "\n")
        return judgement

    iam_evaluator.evaluate = evaluate


if __name__ == "__main__":
    write_down_in(Path(sys.argv.pop()))
    main()
