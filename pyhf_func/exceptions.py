"""Every exception of the library, and the record of one fault in a document.

All exceptions derive from :class:`PyhfFuncError`. An exception about a document carries ``faults``, a tuple
of :class:`Fault`: everything that is wrong, each with the place in the document and what to do about it. Its
message lists the first of them, one a line, and is never longer than a reader can bear.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jsonschema

__all__ = [
    "CheckpointNotWritten",
    "FailedMinimization",
    "Fault",
    "ForkedProcess",
    "ImportBackendError",
    "InvalidArchive",
    "InvalidArchiveHost",
    "InvalidBackend",
    "InvalidCalculator",
    "InvalidCheckpoint",
    "InvalidDocument",
    "InvalidInterpCode",
    "InvalidMeasurement",
    "InvalidModel",
    "InvalidModifier",
    "InvalidNameReuse",
    "InvalidOptimizer",
    "InvalidPatchLookup",
    "InvalidPatchSet",
    "InvalidPdfData",
    "InvalidPdfParameters",
    "InvalidSpecification",
    "InvalidTestStatistic",
    "InvalidWorkspaceOperation",
    "MissingObservation",
    "NotEnoughMemory",
    "PatchSetVerificationError",
    "PyhfFuncError",
    "SchemaNotFound",
    "UnknownParameter",
    "UnspecifiedPOI",
    "Unsupported",
    "UnsupportedExtension",
    "WorkspaceWarning",
    "json_path",
    "raise_faults",
]


def __dir__() -> list[str]:
    return __all__


MOST_FAULTS = 20
"""Faults that a message lists; the attribute ``faults`` has them all."""

_LINE, _MESSAGE = 500, 4000
"""Characters of one fault, and of a message, at most: names and values in a document can be megabytes."""


def cut(text: str, length: int = _MESSAGE) -> str:
    """The text, without its middle where it is longer than ``length``; messages end with what to do.

    Example:
        >>> cut("short"), cut("x" * 100, length=50)
        ('short', 'xxxxxxxxxxxxxx... (80 characters left out) ...xxxxxx')
    """
    if len(text) <= length:
        return text
    tail = (length - 30) // 3
    head = length - 30 - tail
    return f"{text[:head]}... ({len(text) - head - tail} characters left out) ...{text[-tail:]}"


def needs(what: str, package: str, extra: str, error: ImportError) -> str:
    """The message where an optional package can't be imported: whether it is missing, or what breaks its own import.

    Args:
        what: Thing that needs the package.
        package: Name of the package, as it is imported.
        extra: The extra of this library that brings it.
        error: The error of the import.

    Example:
        >>> needs("The command", "uproot", "xmlio", ModuleNotFoundError(name="uproot"))
        "The command needs uproot: install it with python -m pip install 'pyhf-func[xmlio]'."
        >>> needs("The command", "uproot", "xmlio", ModuleNotFoundError("No module named 'cramjam'", name="cramjam"))
        "The command needs uproot, which is installed but can't be imported: No module named 'cramjam'."
    """
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == package:
        return f"{what} needs {package}: install it with python -m pip install 'pyhf-func[{extra}]'."
    return f"{what} needs {package}, which is installed but can't be imported: {str(error).rstrip('.')}."


def json_path(steps: Iterable[str | int]) -> str:
    """The JSON path of a place in a document: ``["channels", 2, "name"]`` is ``$.channels[2].name``."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, or dubious, in a document.

    Attributes:
        path: JSON path of the place, such as ``$.channels[2].samples[0].modifiers[3].data``.
        message: What is wrong there and what to do, naming channel, sample and modifier where there are any.
        exception: The class that is raised for it.
        file: The file that the document came from, where known.
    """

    path: str
    message: str
    exception: type[PyhfFuncError]
    file: str | None = None

    def __str__(self) -> str:
        return cut(f"{cut(self.path, _LINE // 2)}: {self.message}", _LINE)


def _describe(faults: Sequence[Fault]) -> str:
    """The message of an exception: the first faults, each on a line of its own, under the file where it is known."""
    file = next((fault.file for fault in faults if fault.file), None)
    place = f" in {file}" if file else ""
    if len(faults) == 1:
        return f"{file}: {faults[0]}" if file else str(faults[0])
    rest = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
    return "\n  ".join([f"{len(faults)} faults{place}:", *map(str, faults[:MOST_FAULTS]), *rest])


class PyhfFuncError(Exception):
    """Base class of every exception of the library.

    Args:
        args: The message. Without one, the message lists the faults.
        faults: What is wrong in the document, in the order in which it was found.
    """

    faults: tuple[Fault, ...] = ()

    def __init__(self, *args: Any, faults: Sequence[Fault] = ()) -> None:
        if faults and not args:
            super().__init__(_describe(faults))
        else:
            super().__init__(*(cut(arg) if isinstance(arg, str) else arg for arg in args))
        self.faults = tuple(faults)


def raise_faults(faults: Sequence[Fault]) -> None:
    """Raise all faults at once, as the exception class of the first; do nothing where there are none."""
    if faults:
        raise faults[0].exception(faults=faults)


class Unsupported(PyhfFuncError):
    """Something was asked for that the current configuration does not support."""


class UnsupportedExtension(Unsupported):
    """A document of the model language says what neither pyhf's format nor the engine can hold exactly."""


class InvalidMeasurement(PyhfFuncError):
    """The measurement asked for does not exist, or does not fit the workspace."""


class InvalidNameReuse(PyhfFuncError):
    """One parameter name is used by modifiers that need different parameters."""


class SchemaNotFound(PyhfFuncError, FileNotFoundError):
    """There is no schema of that name and version where schemas are looked for."""


class InvalidSpecification(PyhfFuncError):
    """A document does not follow its schema.

    Args:
        ValidationError: The (first) error that jsonschema found.
        schema: Name of the schema, such as ``workspace.json``.
        faults: All that is wrong; without it, what ``ValidationError`` says.

    Attributes:
        parent: The ``ValidationError``, or None where the fault was found without jsonschema.
        path: Place of the first fault without the leading ``$.``, such as ``channels[0].name``.
        instance: The content found at that place.
        schema: Name of the schema.
        exc_info: What was being handled when the exception was made, as ``sys.exc_info()`` gives it.
    """

    def __init__(
        self,
        ValidationError: jsonschema.ValidationError | None = None,
        schema: str | None = None,
        *,
        faults: Sequence[Fault] = (),
    ) -> None:
        self.exc_info = sys.exc_info()
        self.parent = ValidationError
        self.schema = schema
        self.instance = None if ValidationError is None else ValidationError.instance
        if ValidationError is not None and not faults:
            place = json_path(ValidationError.absolute_path)
            faults = (Fault(place, f"{ValidationError.message}.", type(self)),)
        super().__init__(faults=faults)
        self.path = faults[0].path.removeprefix("$").lstrip(".") if faults else ""

    def __reduce__(self) -> Any:
        return _restore, (type(self), self.schema, self.faults)


def _restore(cls: type[InvalidSpecification], schema: str | None, faults: tuple[Fault, ...]) -> InvalidSpecification:
    """Make a pickled :class:`InvalidSpecification` again, without the jsonschema objects."""
    return cls(None, schema, faults=faults)


class InvalidDocument(InvalidSpecification):
    """The input cannot be read as JSON: truncated, not JSON, not UTF-8, a key given twice, NaN, too deep, ..."""


class InvalidArchiveHost(PyhfFuncError):
    """The address of an archive is not on a host that is known to hold likelihoods."""


class InvalidArchive(PyhfFuncError):
    """The content at an archive's address is not an archive."""


class InvalidPatchSet(PyhfFuncError):
    """A patch set follows its schema and still contradicts itself."""


class InvalidPatchLookup(PyhfFuncError):
    """The patch set has no patch of that name or of those values."""


class PatchSetVerificationError(PyhfFuncError):
    """The workspace is not the one that the patch set was made for: their digests differ."""


class InvalidWorkspaceOperation(PyhfFuncError):
    """Workspaces cannot be combined, pruned or renamed as asked."""


class UnspecifiedPOI(PyhfFuncError):
    """The model has no parameter of interest (POI), and what was asked for needs one."""


class InvalidModel(PyhfFuncError):
    """A specification follows its schema and still defines no model."""


class InvalidModifier(PyhfFuncError):
    """A modifier is of no known type, or its data do not fit its sample."""


class InvalidInterpCode(PyhfFuncError):
    """The interpolation code asked for does not exist, or not for this modifier type."""


class InvalidTestStatistic(PyhfFuncError):
    """The test statistic asked for does not exist."""


class InvalidCalculator(PyhfFuncError, KeyError):
    """The calculator asked for does not exist."""

    __str__ = Exception.__str__


class ImportBackendError(PyhfFuncError):
    """The framework of a backend is not installed."""


class InvalidBackend(PyhfFuncError):
    """The backend asked for does not exist."""


class InvalidOptimizer(PyhfFuncError):
    """The optimizer asked for does not exist."""


class InvalidPdfParameters(PyhfFuncError):
    """A parameter vector does not fit the model."""


class UnknownParameter(InvalidPdfParameters, KeyError):
    """The configuration of a model has no parameter of that name."""

    __str__ = Exception.__str__


class InvalidPdfData(PyhfFuncError):
    """A data vector does not fit the model."""


class MissingObservation(InvalidPdfData, KeyError):
    """A channel of the model has no observation in the workspace."""

    __str__ = Exception.__str__


class FailedMinimization(PyhfFuncError):
    """A fit did not converge.

    Args:
        result: What the minimiser returned; its ``message``, where it has one, becomes the message.
    """

    def __init__(self, result: Any) -> None:
        self.result = result
        super().__init__(getattr(result, "message", "The fit failed, see the attribute 'result'."))


class InvalidCheckpoint(PyhfFuncError, ValueError):
    """A file of saved work is damaged, or holds the work of another computation."""


class CheckpointNotWritten(PyhfFuncError):
    """Work is done, but could not be saved.

    Args:
        message: Why.
        result: What would have been returned.
    """

    def __init__(self, message: str, result: Any = None) -> None:
        self.result = result
        super().__init__(message)


class NotEnoughMemory(PyhfFuncError, MemoryError):
    """A computation needs more memory than there is: the message says how much, and what limits it."""

    # MemoryError's own refuses subclasses whose first base is another.
    __new__ = PyhfFuncError.__new__  # type: ignore[assignment]


class ForkedProcess(PyhfFuncError, RuntimeError):
    """A process made by fork can't compute, since its parent had already computed: JAX's threads are not copied."""

    def __init__(self, *args: Any) -> None:
        super().__init__(
            *args
            or (
                "This process was forked from one that had already computed with pyhf_func, and JAX would wait for "
                "ever here. Start workers with multiprocessing.get_context('spawn') (ProcessPoolExecutor takes it as "
                "mp_context), or leave the work to one process: pf.scan, pf.grid and jax.vmap use all cores.",
            )
        )


class WorkspaceWarning(UserWarning):
    """Content of a document that gives finite numbers and is dubious all the same.

    Args:
        faults: Everything dubious; ``strict=True`` turns the same into an exception.
    """

    def __init__(self, faults: Sequence[Fault] | str = ()) -> None:
        self.faults: tuple[Fault, ...] = () if isinstance(faults, str) else tuple(faults)
        super().__init__(faults if isinstance(faults, str) else _describe(self.faults))
