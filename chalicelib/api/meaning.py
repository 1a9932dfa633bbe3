"""How the contract's values are described, where they are declared: for JSON as fields, for queries as parameters."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from chalicelib.model.records import LARGEST_INTEGER


def means(meaning: str, *examples: Any, title: str | None = None, **schema: Any) -> Meta:
    """What a value is for, with examples of it. A title makes an enumeration a schema of its own; `schema` is put into its
    JSON Schema as it is."""
    return Meta(title=title, description=meaning, examples=list(examples) or None, extra_json_schema=schema or None)


Id = Annotated[int, Meta(ge=1, extra_json_schema={"format": "int64"})]
Int64 = Annotated[int, Meta(ge=0, le=LARGEST_INTEGER, extra_json_schema={"format": "int64"})]
Int32 = Annotated[int, Meta(ge=0, extra_json_schema={"format": "int32"})]
Number = Annotated[float, Meta(extra_json_schema={"format": "double"})]
Uri = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Utc = Annotated[datetime, Meta(tz=True)]
#: RFC 3339 asks for an offset, so that a client would take its format for a moment.
WallClock = Annotated[datetime, Meta(tz=False, extra_json_schema={"format": "date-time-local"})]
