"""What can go wrong in a benchmark.

::

    BenchmarkError
    +-- UnreadableError       a file is no result of these benchmarks
    +-- UnavailableError      a server cannot be had on this machine: named in the table
    +-- NotOfferedError       a server does not do what a case needs: named in the table
    +-- TrialFailedError      one trial gave no valid result: named in the table, exit code 1
        +-- DriverFailedError the driver met a wrong answer, or none
"""


class BenchmarkError(Exception):
    """Base of everything that the benchmarks raise on purpose."""


class UnreadableError(BenchmarkError):
    """A file is no result of these benchmarks; the message says which."""


class UnavailableError(BenchmarkError):
    """A server cannot be had on this machine; the message says why."""


class NotOfferedError(BenchmarkError):
    """A server does not do what a case needs; the message says what."""


class TrialFailedError(BenchmarkError):
    """One trial gave no valid result; the message says why."""


class DriverFailedError(TrialFailedError):
    """The driver met a wrong answer, or none in time."""
