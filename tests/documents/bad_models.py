"""Model specs that follow the schema: with faults, and with dubious content."""

from __future__ import annotations

from typing import NamedTuple

from pyhf_func import exceptions
from tests.documents.documents import Change, add, all_of, drop, modifier, put

NAN, INF = float("nan"), float("inf")
SR_BACKGROUND = "channels.0.samples.1"
NAME = {"lo": 0.9, "hi": 1.1}
TEMPLATES = {"lo_data": [20.0, 30.0], "hi_data": [30.0, 20.0]}


class Bad(NamedTuple):
    """A change that spoils a model spec.

    ``pyhf`` says what pyhf 0.7.6 does with it: "same" raises the same class, "other" raises something else (a bare
    Python error), "accepts" builds a model that is wrong or gives no numbers.
    """

    name: str
    change: Change
    exception: type[exceptions.PyhfFuncError]
    path: str
    pyhf: str


def _parameter(**config: object) -> Change:
    return add("parameters", config)


MODEL, MODIFIER, REUSE = exceptions.InvalidModel, exceptions.InvalidModifier, exceptions.InvalidNameReuse
SB = "$.channels[0].samples[1]"

FAULTS = [
    Bad("channel twice", all_of(add("channels", {"name": "CR", "samples": [
        {"name": "x", "data": [1.0, 1.0, 1.0], "modifiers": []}]})), MODEL, "$.channels[2].name", "accepts"),
    Bad("sample twice", add("channels.0.samples", {"name": "signal", "data": [1.0, 2.0],
                                                "modifiers": [modifier("normfactor", "mu"), modifier("lumi", "lumi")]}),
        MODEL, "$.channels[0].samples[2].name", "accepts"),
    Bad("modifier twice", add(f"{SR_BACKGROUND}.modifiers", modifier("normsys", "scale", NAME)),
        MODEL, f"{SB}.modifiers[4]", "accepts"),
    Bad("sample bins", add("channels.0.samples", {"name": "x", "data": [1.0], "modifiers": []}),
        MODEL, "$.channels[0].samples[2].data", "same"),
    Bad("histosys bins", put(f"{SR_BACKGROUND}.modifiers.1.data.lo_data", [1.0]),
        MODIFIER, f"{SB}.modifiers[1].data.lo_data", "same"),
    Bad("histosys bins that make up for one another", all_of(
        put(f"{SR_BACKGROUND}.modifiers.1.data", {"lo_data": [1.0], "hi_data": [1.0]}),
        add("channels.1.samples.0.modifiers",
            modifier("histosys", "tilt", {"lo_data": [1.0] * 4, "hi_data": [1.0] * 4}))),
        MODIFIER, f"{SB}.modifiers[1].data.lo_data", "accepts"),
    Bad("shapesys bins", put(f"{SR_BACKGROUND}.modifiers.2.data", [1.0, 1.0, 1.0]),
        MODIFIER, f"{SB}.modifiers[2].data", "same"),
    Bad("staterror bins", put(f"{SR_BACKGROUND}.modifiers.3.data", [1.0]),
        MODIFIER, f"{SB}.modifiers[3].data", "same"),
    Bad("NaN yield", put(f"{SR_BACKGROUND}.data", [NAN, 1.0]), MODEL, f"{SB}.data", "accepts"),
    Bad("infinite yield", put(f"{SR_BACKGROUND}.data", [1.0, INF]), MODEL, f"{SB}.data", "accepts"),
    Bad("huge integer", put(f"{SR_BACKGROUND}.data", [1.0, 10**400]), MODEL, f"{SB}.data", "other"),
    Bad("yields beyond floats", all_of(put(f"{SR_BACKGROUND}.data", [1e308, 1.0]),
                                       put("channels.0.samples.0.data", [1e308, 1.0]),
                                       drop(f"{SR_BACKGROUND}.modifiers.2")),
        MODEL, "$.channels[0]", "accepts"),
    Bad("NaN template", put(f"{SR_BACKGROUND}.modifiers.1.data.hi_data", [NAN, 1.0]),
        MODIFIER, f"{SB}.modifiers[1].data.hi_data", "accepts"),
    Bad("NaN factor", put(f"{SR_BACKGROUND}.modifiers.0.data.lo", NAN),
        MODIFIER, f"{SB}.modifiers[0].data.lo", "accepts"),
    Bad("zero factor", put(f"{SR_BACKGROUND}.modifiers.0.data.lo", 0.0),
        MODIFIER, f"{SB}.modifiers[0].data.lo", "accepts"),
    Bad("negative factor", put(f"{SR_BACKGROUND}.modifiers.0.data.hi", -1.1),
        MODIFIER, f"{SB}.modifiers[0].data.hi", "accepts"),
    Bad("NaN shapesys", put(f"{SR_BACKGROUND}.modifiers.2.data", [NAN, 1.0]),
        MODIFIER, f"{SB}.modifiers[2].data", "accepts"),
    Bad("huge shapesys", put(f"{SR_BACKGROUND}.modifiers.2.data", [1e200, 1.0]),
        MODIFIER, f"{SB}.modifiers[2].data", "other"),
    Bad("tiny shapesys", put(f"{SR_BACKGROUND}.modifiers.2.data", [1e-200, 1.0]),
        MODIFIER, f"{SB}.modifiers[2].data", "other"),
    Bad("infinite staterror", put(f"{SR_BACKGROUND}.modifiers.3.data", [INF, 1.0]),
        MODIFIER, f"{SB}.modifiers[3].data", "accepts"),
    Bad("huge staterror", put(f"{SR_BACKGROUND}.modifiers.3.data", [1e200, 1.0]),
        MODEL, f"{SB}.modifiers[3].data", "accepts"),
    Bad("negative for all parameters", all_of(
        put(f"{SR_BACKGROUND}.data", [-50.0, 60.0]), put("channels.0.samples.0.data", [-5.0, 6.0]),
        put(f"{SR_BACKGROUND}.modifiers.1.data", {"lo_data": [-40.0, 60.0], "hi_data": [-60.0, 60.0]})),
        MODEL, "$.channels[0]", "accepts"),
    Bad("normfactor with the name of a normsys", add(f"{SR_BACKGROUND}.modifiers", modifier("normfactor", "scale")),
        REUSE, f"{SB}.modifiers[4].name", "same"),
    Bad("normsys with the name of a staterror", add("channels.1.samples.0.modifiers",
                                                   modifier("normsys", "stat_SR", NAME)),
        REUSE, "$.channels[1].samples[0].modifiers[2].name", "same"),
    Bad("shapefactor with the name of a shapesys", add("channels.0.samples.0.modifiers",
                                                      modifier("shapefactor", "shape")),
        REUSE, f"{SB}.modifiers[2].name", "same"),
    Bad("normsys with the name lumi", add(f"{SR_BACKGROUND}.modifiers", modifier("normsys", "lumi", NAME)),
        REUSE, f"{SB}.modifiers[4].name", "same"),
    Bad("shared shapesys", add("channels.0.samples.0.modifiers", modifier("shapesys", "shape", [1.0, 1.0])),
        MODEL, f"{SB}.modifiers[2].name", "same"),
    Bad("shapefactor over channels of other sizes", all_of(
        put("channels.0.name", "ZR"), put("channels.1.name", "AR"),
        drop("channels.1.samples.0.modifiers.1"),
        add("channels.1.samples.0.modifiers", modifier("shapefactor", "free")),
        add("channels", {"name": "BR", "samples": [
            {"name": "background", "data": [9.0] * 4, "modifiers": [modifier("shapefactor", "free")]}]})),
        MODEL, "$.channels[2].samples[0].modifiers[0].name", "accepts"),
    Bad("staterror in other channels", all_of(
        add("channels.1.samples", {"name": "signal", "data": [1.0, 1.0, 1.0],
                                   "modifiers": [modifier("staterror", "stat_SR", [1.0, 1.0, 1.0])]})),
        MODEL, "$.channels[1].samples[1].modifiers[0].name", "other"),
    Bad("parameter configured twice", _parameter(name="mu", inits=[2.0]), MODEL, "$.parameters[2].name", "same"),
    Bad("unused parameter configured twice", all_of(_parameter(name="none"), _parameter(name="none")),
        MODEL, "$.parameters[3].name", "same"),
    Bad("number of inits", _parameter(name="scale", inits=[0.0, 1.0]), MODEL, "$.parameters[2].inits", "same"),
    Bad("number of bounds", _parameter(name="shape", bounds=[[0.1, 2.0]]), MODEL, "$.parameters[2].bounds", "same"),
    Bad("number of auxdata", _parameter(name="tilt", auxdata=[0.0, 1.0]), MODEL, "$.parameters[2].auxdata", "same"),
    Bad("number of sigmas", _parameter(name="stat_SR", sigmas=[0.1]), MODEL, "$.parameters[2].sigmas", "same"),
    Bad("number of factors", _parameter(name="shape", factors=[1.0]), MODEL, "$.parameters[2].factors", "same"),
    Bad("number of lumi values", put("parameters.0.inits", [1.0, 1.0]), MODEL, "$.parameters[0].inits", "accepts"),
    Bad("auxdata of a normfactor", put("parameters.1.auxdata", [1.0]), MODEL, "$.parameters[1].auxdata", "same"),
    Bad("factors of a normsys", _parameter(name="scale", factors=[1.0]), MODEL, "$.parameters[2].factors", "same"),
    Bad("sigmas of a shapesys", _parameter(name="shape", sigmas=[1.0, 1.0]), MODEL, "$.parameters[2].sigmas", "same"),
    Bad("factors of a histosys", _parameter(name="tilt", factors=[1.0]), MODEL, "$.parameters[2].factors", "same"),
    Bad("nine factors of a normsys", _parameter(name="scale", factors=[1.0] * 9),
        MODEL, "$.parameters[2].factors", "same"),
    Bad("zero sigma", put("parameters.0.sigmas", [0.0]), MODEL, "$.parameters[0].sigmas", "accepts"),
    Bad("negative sigma", _parameter(name="stat_SR", sigmas=[-0.1, 0.1]), MODEL, "$.parameters[2].sigmas", "accepts"),
    Bad("negative factor of a constraint", _parameter(name="shape", factors=[-1.0, 2.0]),
        MODEL, "$.parameters[2].factors", "accepts"),
    Bad("negative count", _parameter(name="shape", auxdata=[-1.0, 2.0]), MODEL, "$.parameters[2].auxdata", "accepts"),
    Bad("NaN init", put("parameters.1.inits", [NAN]), MODEL, "$.parameters[1].inits", "accepts"),
    Bad("NaN bound", put("parameters.1.bounds", [[NAN, 1.0]]), MODEL, "$.parameters[1].bounds[0]", "accepts"),
    Bad("bounds swapped", put("parameters.1.bounds", [[5.0, 1.0]]), MODEL, "$.parameters[1].bounds[0]", "accepts"),
    Bad("lumi not configured", drop("parameters.0"), MODEL, "$.parameters", "other"),
    Bad("lumi without auxdata", drop("parameters.0.auxdata"), MODEL, "$.parameters[0]", "other"),
    Bad("lumi without inits", drop("parameters.0.inits"), MODEL, "$.parameters[0]", "other"),
    Bad("unknown POI", drop("channels.0.samples.0.modifiers.0"), MODEL, "$", "same"),
    Bad("POI with components", all_of(put("parameters.1", {"name": "mu"}),
                                      put("channels.0.samples.0.modifiers.0", modifier("shapefactor", "mu"))),
        MODEL, "$", "same"),
    Bad("no modifiers", all_of(put("channels.0.samples.0.modifiers", []), put(f"{SR_BACKGROUND}.modifiers", []),
                               put("channels.1.samples.0.modifiers", []), put("parameters", [])),
        MODEL, "$.channels", "same"),
]  # fmt: skip


class Dubious(NamedTuple):
    """A change that pyhf 0.7.6 turns into finite numbers, and where the doubt stands."""

    name: str
    change: Change
    path: str


DOUBTS = [
    Dubious("unused parameter", _parameter(name="none", inits=[1.0]), "$.parameters[2].name"),
    Dubious("negative yield", put("channels.0.samples.0.data", [-5.0, 6.0]), "$.channels[0].samples[0].data"),
    Dubious("empty bin", all_of(put("channels.0.samples.0.data", [0.0, 6.0]), put(f"{SR_BACKGROUND}.data", [0.0, 60.0]),
                                drop(f"{SR_BACKGROUND}.modifiers.2"), drop(f"{SR_BACKGROUND}.modifiers.2")),
            "$.channels[0]"),
    Dubious("negative shapesys", put(f"{SR_BACKGROUND}.modifiers.2.data", [-5.0, 6.0]), f"{SB}.modifiers[2].data"),
    Dubious("shapesys without yield", all_of(put(f"{SR_BACKGROUND}.data", [0.0, 60.0]),
                                             put(f"{SR_BACKGROUND}.modifiers.3.data", [0.0, 4.0])),
            f"{SB}.modifiers[2].data"),
    Dubious("staterror without yield", all_of(put(f"{SR_BACKGROUND}.data", [0.0, 60.0]),
                                              put(f"{SR_BACKGROUND}.modifiers.2.data", [0.0, 6.0])),
            f"{SB}.modifiers[3].data"),
    Dubious("negative staterror", put(f"{SR_BACKGROUND}.modifiers.3.data", [-3.0, 4.0]), f"{SB}.modifiers[3].data"),
    Dubious("init outside of the bounds", put("parameters.1.inits", [7.0]), "$.parameters[1].inits"),
    Dubious("default init outside of the bounds", put("parameters.1.bounds", [[2.0, 7.0]]), "$.parameters[1].bounds"),
    Dubious("bounds without width", put("parameters.1.bounds", [[1.0, 1.0]]), "$.parameters[1].bounds[0]"),
    Dubious("infinite bound", put("parameters.1.bounds", [[0.0, INF]]), "$.parameters[1].bounds[0]"),
    Dubious("lumi without sigmas", drop("parameters.0.sigmas"), "$.parameters[0]"),
    Dubious("lumi without bounds", drop("parameters.0.bounds"), "$.parameters[0]"),
    Dubious("name of a component", add("channels.1.samples.0.modifiers", modifier("normsys", "shape[0]", NAME)),
            "$.channels"),
]  # fmt: skip

# Content that means something, though it may look odd.
SOUND = {
    "as it is": lambda spec: None,
    "histosys and normsys share a parameter": add(f"{SR_BACKGROUND}.modifiers",
                                                  modifier("histosys", "scale", TEMPLATES)),
    "a name with a slash": put(f"{SR_BACKGROUND}.modifiers.0.name", "a/b"),
    "shapesys without uncertainty": put(f"{SR_BACKGROUND}.modifiers.2.data", [0.0, 6.0]),
    "staterror without uncertainty": put(f"{SR_BACKGROUND}.modifiers.3.data", [0.0, 0.0]),
    "fixed outside of the bounds": all_of(put("parameters.1.inits", [7.0]), put("parameters.1.fixed", True)),
    "a constrained POI": all_of(drop("parameters.1"),
                                put("channels.0.samples.0.modifiers.0", modifier("normsys", "mu", NAME))),
    "sigmas of a staterror": _parameter(name="stat_SR", sigmas=[0.1, 0.2]),
    "integers": all_of(put(f"{SR_BACKGROUND}.data", [50, 60])),
}  # fmt: skip
