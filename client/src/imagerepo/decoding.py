"""From the server's JSON to frozen dataclasses, by their annotations. Fields that are not known here are passed over."""

import functools
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def decode(kind: type[T], value: object) -> T:
    """Raises `ValueError`, naming the place, where the value is not of the kind that is asked for."""
    return cast(T, _decode(kind, value, kind.__name__))


def _decode(kind: Any, value: object, place: str) -> object:
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        return None if value is None else _decode(next(arg for arg in args if arg is not types.NoneType), value, place)
    if origin is Literal:
        return _of_type(str, value, place)  # a word that a later server adds is no reason to fail
    if origin is tuple:
        return tuple(_decode(args[0], item, place) for item in _of_type(list, value, place))
    if origin is Mapping:
        items = _of_type(dict, value, place).items()
        return {name: _decode(args[1], item, f"{place}.{name}") for name, item in items}
    if is_dataclass(kind):
        return _instance(kind, _of_type(dict, value, place), place)
    if kind is datetime:
        return datetime.fromisoformat(_of_type(str, value, place))
    if kind is float and type(value) is int:
        return float(value)
    return _of_type(kind, value, place)


def _instance(kind: Any, value: dict[str, object], place: str) -> object:
    given = {}
    for name, (annotation, required) in _shape(kind).items():
        if name in value:
            given[name] = _decode(annotation, value[name], f"{place}.{name}")
        elif required:
            raise ValueError(f"{place} has no {name}")
    return kind(**given)


@functools.cache
def _shape(kind: Any) -> dict[str, tuple[Any, bool]]:
    """The annotation of each field, and whether it must be there."""
    hints = get_type_hints(kind)
    return {
        field.name: (hints[field.name], field.default is MISSING and field.default_factory is MISSING) for field in fields(kind)
    }


def _of_type(kind: type[T], value: object, place: str) -> T:
    if type(value) is not kind:
        raise ValueError(f"{place} is {type(value).__name__}, not {kind.__name__}")
    return value
