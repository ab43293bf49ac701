"""A validation definition that lives as long as its run."""

from __future__ import annotations

from great_expectations import ValidationDefinition
from great_expectations.core.freshness_diagnostics import (
    ValidationDefinitionFreshnessDiagnostics,
)


class RunDefinition(ValidationDefinition):
    """A definition that is not stored, and so cannot differ from a stored one.

    The library would store definition and suite, and read and compare both before it uses
    them, which costs more than the checks themselves.
    """

    def is_fresh(self) -> ValidationDefinitionFreshnessDiagnostics:
        """Always: it was made by the run that uses it."""
        return ValidationDefinitionFreshnessDiagnostics(errors=[])
