"""The reference tables of a run: read, checked, and put together into one set."""

from orchestration.ingest.reference.compose import (
    ReferenceSet,
    compose_reference,
    reference_sha256,
)

__all__ = ["ReferenceSet", "compose_reference", "reference_sha256"]
