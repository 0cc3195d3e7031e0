"""The exceptions: every name of pyhf 0.7.6, one base class, constructors that behave alike."""

from __future__ import annotations

import copy
import inspect
import pickle
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest

from pyhf_func import exceptions
from pyhf_func.exceptions import Fault, InvalidModel, InvalidModifier, json_path, raise_faults

OURS = [
    value
    for value in vars(exceptions).values()
    if inspect.isclass(value) and issubclass(value, exceptions.PyhfFuncError)
]


def test_every_exception_of_pyhf_is_here(pyhf_numpy: Any) -> None:
    theirs = [
        name
        for name, value in vars(pyhf_numpy.exceptions).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    ]
    assert len(theirs) > 20
    for name in theirs:
        assert issubclass(getattr(exceptions, name), exceptions.PyhfFuncError), name
        if name != "SchemaNotFound":
            assert name in exceptions.__all__
    assert issubclass(exceptions.SchemaNotFound, FileNotFoundError)


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_each_can_be_raised_documented_and_pickled(cls: type[Exception]) -> None:
    assert cls.__doc__
    if cls in (exceptions.InvalidSpecification, exceptions.InvalidDocument):
        error: Exception = cls(faults=[Fault("$.a", "is wrong", cls)])
    elif cls is exceptions.FailedMinimization:
        error = cls(SimpleNamespace(message="is wrong"))
    else:
        error = cls("is wrong")
    assert "is wrong" in str(error)
    assert type(cls.__new__(cls, "is wrong")) is cls  # as Dask and tblib restore what a worker raised
    if cls is not exceptions.FailedMinimization:
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.faults) == (cls, str(error), error.faults)


def _validation_error() -> jsonschema.ValidationError:
    try:
        jsonschema.validate({"a": [1, "x"]}, {"properties": {"a": {"items": {"type": "number"}}}})
    except jsonschema.ValidationError as error:
        return error
    raise AssertionError


def test_invalid_specification_is_made_from_a_validation_error(pyhf_numpy: Any) -> None:
    source = _validation_error()
    ours = exceptions.InvalidSpecification(source, "workspace.json")
    theirs = pyhf_numpy.exceptions.InvalidSpecification(source, "workspace.json")
    for attribute in ("parent", "schema", "path", "instance", "exc_info"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    assert ours.path == "a[1]"
    assert str(ours) == "$.a[1]: 'x' is not of type 'number'."


def test_failed_minimization_takes_the_message_of_its_result(pyhf_numpy: Any) -> None:
    for result in (SimpleNamespace(message="iteration limit"), SimpleNamespace()):
        ours = exceptions.FailedMinimization(result)
        theirs = pyhf_numpy.exceptions.FailedMinimization(result)
        assert ours.result is theirs.result is result
    assert str(exceptions.FailedMinimization(SimpleNamespace(message="iteration limit"))) == "iteration limit"


def test_faults_are_raised_as_the_class_of_the_first() -> None:
    raise_faults([])
    faults = [Fault("$.a", "one", InvalidModifier, "f.json"), Fault("$.b", "two", InvalidModel, "f.json")]
    with pytest.raises(InvalidModifier) as caught:
        raise_faults(faults)
    assert caught.value.faults == tuple(faults)
    assert str(caught.value) == "2 faults in f.json:\n  $.a: one\n  $.b: two"
    with pytest.raises(InvalidModel, match=r"^f\.json: \$\.b: two$"):
        raise_faults(faults[1:])


def test_json_path() -> None:
    assert json_path(()) == "$"
    assert json_path(["channels", 2, "samples", 0]) == "$.channels[2].samples[0]"


def test_faults_are_values() -> None:
    fault = Fault("$.a", "one", InvalidModel)
    assert copy.copy(fault) == fault
    assert len({fault, Fault("$.a", "one", InvalidModel)}) == 1
