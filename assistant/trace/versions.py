"""What has changed in an index since a trace was made. The trace's own texts are shown as they were then."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assistant.records import Trace


@dataclass(frozen=True)
class Drift:
    """Titles of the trace's documents whose text is another one now (`changed`) or that are not there (`gone`).

    other: the index's fingerprint differs, be it for a document that the trace does not name
    """

    other: bool
    changed: tuple[str, ...]
    gone: tuple[str, ...]

    def __str__(self) -> str:
        """In words; "" where nothing changed."""
        if not self.other:
            return ""
        parts = [f"{', '.join(names)} {verb}" for names, verb in
                 ((self.changed, "changed"), (self.gone, "no longer there")) if names]
        return ("the index is another one than when this was asked" + (f" ({'; '.join(parts)})" if parts else "")
                + "; texts are shown as they were then")


def drift(trace: Trace, index_fingerprint: str, hashes: Mapping[str, str]) -> Drift:
    """hashes: {document id: sha256 of its text} of the index as it is."""
    changed = tuple(d.title for d in trace.documents if d.id in hashes and hashes[d.id] != d.sha256)
    gone = tuple(d.title for d in trace.documents if d.id not in hashes)
    return Drift(trace.index_fingerprint != index_fingerprint, changed, gone)
