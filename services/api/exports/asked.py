"""What an export is asked for."""

from typing import Annotated, Any, Literal

import msgspec
from pydantic import ConfigDict, Field

from services.api.exports.formats import Format
from services.api.suggest import Slip
from services.api.wire import Body, Moment, rfc3339

ATTRIBUTES_MAX = 100

Use = Literal["insight", "contact", "audience"]


class ExportIn(Body):
    """Which members, for what, and how."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"use": "contact", "format": "csv", "attributes": ["name", "region"]}]
        }
    )
    use: Use = Field(
        description="What it is for; only whoever agreed to that is in it. `insight`: to be "
        "measured and profiled, as all members were. `contact`: to be mailed as well, and did not "
        "unsubscribe. `audience`: to be handed to advertisers (`share`)."
    )
    format: Format = "csv"
    as_of: Moment | None = Field(
        default=None, description="The members at this moment, with what was then held of them."
    )
    known_at: Moment | None = Field(
        default=None, description="As it was believed at this moment; left out: as known now."
    )
    attributes: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=ATTRIBUTES_MAX)
    ] = Field(default=[], description="Attributes that become columns of their own.")


class ExportJob(msgspec.Struct):
    """An export as its job keeps it."""

    segment: str
    version_id: int
    """Of the segment, which answered when the export was asked for."""
    as_of_ms: int
    known_at_ms: int
    is_ahead: bool
    """Whether it is about what is foretold, which is rewritten by whatever happens next."""
    is_past_belief: bool
    """Whether ``known_at`` was asked for."""
    use: Use
    format: Format
    attributes: list[str]
    version: int | None = None
    """The number of that version; None: it was asked for before this was kept."""
    slips: list[Slip] = []
    """Attributes that nobody seems to have."""


def slips_in(kept: dict[str, Any]) -> list[Slip]:
    """What may be a slip in an export's request."""
    return msgspec.convert(kept, ExportJob).slips


def show_asked(kept: dict[str, Any]) -> dict[str, Any]:
    """An export's request as an answer tells it, with what was left out filled in."""
    asked = msgspec.convert(kept, ExportJob)
    return {
        "segment": asked.segment,
        "version": asked.version,
        "use": asked.use,
        "format": asked.format,
        "as_of": rfc3339(asked.as_of_ms),
        "known_at": rfc3339(asked.known_at_ms) if asked.is_past_belief else None,
        "attributes": asked.attributes,
    }
