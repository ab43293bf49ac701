"""The errors a user can cause, each with the exit code of the command line."""

from __future__ import annotations


class TierwiseError(Exception):
    """A user's mistake or a fault in the data, told in one message without a stack trace.

    The message names the file, row, column and value where there are any, the rule,
    and what to do next. It never carries a personal value.
    """

    exit_code = 2


class ConfigurationError(TierwiseError):
    """Wrong use: an option, a setting or a reference table that cannot be used."""

    exit_code = 2


class DataBlockedError(TierwiseError):
    """The data delivered does not allow a publication; the last one is untouched."""

    exit_code = 1


class HomeLockedError(TierwiseError):
    """Another run holds the warehouse."""

    exit_code = 3


class BuildFailedError(TierwiseError):
    """A model could not be built; nothing was published."""

    exit_code = 1


class RunInterruptedError(TierwiseError):
    """Somebody stopped the run; the message says whether it had published."""

    exit_code = 1
