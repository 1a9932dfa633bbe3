"""What a sweep says of itself."""

from collections import Counter
from dataclasses import dataclass, field

from chalicelib.model.records import Checkpoint


@dataclass(slots=True)
class Report:
    """What a run did (or, as a dry run, would do), by kind, and what an operator should know, each as a sentence.

    `problems` are invariants that do not hold (`broken` of them) and what could not be done. `fault` is why the run broke
    off, where catalog or store did not answer: that says nothing about what they hold.
    """

    done: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    broken: int = 0
    stopped_at: Checkpoint | None = None
    fault: str | None = None

    def count(self, kind: str, count: int = 1) -> None:
        if count:
            self.done[kind] += count

    def broken_invariants(self, *sentences: str) -> None:
        self.problems += sentences
        self.broken += len(sentences)
