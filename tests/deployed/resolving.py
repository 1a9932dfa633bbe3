"""A translated template with its parameters filled in, as CloudFormation makes resources of it.

What is only known when a resource exists stays as it stands: `Ref` and `Fn::GetAtt` of resources, `AWS::Region` and the like.
"""

import re
from collections.abc import Mapping
from typing import Any

_NOTHING = object()


class Resolved:
    """The resources and outputs that there are with these parameters; those that are not named have their defaults."""

    def __init__(self, template: Mapping[str, Any], **given: str) -> None:
        declared = template["Parameters"]
        assert given.keys() <= declared.keys()
        self._parameters = {name: _value(given.get(name, of["Default"]), of["Type"]) for name, of in declared.items()}
        self._conditions = template["Conditions"]
        self.resources: dict[str, Any] = self._those_there_are(template["Resources"])
        self.outputs: dict[str, Any] = self._those_there_are(template["Outputs"])

    def at(self, path: str) -> Any:
        """What stands in a resource's properties, as in `Ingest.Environment.Variables`; `None` where nothing does."""
        name, *steps = path.split(".")
        found = self.resources.get(name, {}).get("Properties")
        for step in steps:
            if found is not None:
                found = found[int(step)] if isinstance(found, list) else found.get(step)
        return found

    def _those_there_are(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        there = {name: of for name, of in declared.items() if "Condition" not in of or self._holds(of["Condition"])}
        return {
            name: self._resolve({key: value for key, value in of.items() if key != "Condition"}) for name, of in there.items()
        }

    def _holds(self, condition: str) -> bool:
        return bool(self._resolve(self._conditions[condition]))

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [found for found in map(self._resolve, value) if found is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref" and argument == "AWS::NoValue":
                return _NOTHING
            if function == "Ref" and argument in self._parameters:
                return self._parameters[argument]
            if function.startswith("Fn::") and (call := _FUNCTIONS.get(function)):
                return call(self, argument)
        resolved = {key: self._resolve(each) for key, each in value.items()}
        return {key: each for key, each in resolved.items() if each is not _NOTHING}

    def _if(self, argument: Any) -> Any:
        condition, then, otherwise = argument
        return self._resolve(then if self._holds(condition) else otherwise)

    def _equals(self, argument: Any) -> bool:
        first, second = self._resolve(argument)
        return str(first) == str(second)

    def _is(self, condition: Any) -> bool:
        return self._holds(condition["Condition"]) if "Condition" in condition else bool(self._resolve(condition))

    def _join(self, argument: Any) -> Any:
        separator, parts = self._resolve(argument)
        return separator.join(parts) if all(isinstance(part, str) for part in parts) else {"Fn::Join": [separator, parts]}

    def _sub(self, argument: Any) -> Any:
        text, named = (argument, {}) if isinstance(argument, str) else argument
        known = {**self._parameters, **self._resolve(named)}

        def filled(found: re.Match[str]) -> str:
            return str(known.get(found[1], found[0]))

        return re.sub(r"\$\{([\w:.]+)\}", filled, text)


_FUNCTIONS: Mapping[str, Any] = {
    "Fn::If": Resolved._if,
    "Fn::Equals": Resolved._equals,
    "Fn::Not": lambda stack, argument: not stack._is(argument[0]),
    "Fn::And": lambda stack, argument: all(map(stack._is, argument)),
    "Fn::Or": lambda stack, argument: any(map(stack._is, argument)),
    "Fn::Join": Resolved._join,
    "Fn::Sub": Resolved._sub,
}


def _value(text: Any, kind: str) -> Any:
    return str(text).split(",") if kind == "CommaDelimitedList" else str(text)
