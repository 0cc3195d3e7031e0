"""Factors that the data determine, or that a measurement configures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pyhf_func.core.modifiers.base import Binwise, Members, Report, Scaling, Use
from pyhf_func.core.parameters import Constraint, ParameterSet, free, unit_normal


class NormFactor(Scaling):
    """A factor of whole samples, or an expression of such factors."""

    name = "normfactor"
    keys = frozenset({"expression", "arguments"})


class Lumi(Scaling):
    """The luminosity: a factor with a Gaussian measurement, which the parameter's configuration gives."""

    name = "lumi"
    constraint = "gauss"
    start = None

    def parameter(self, name: str, members: Members, constraint: Constraint | None) -> ParameterSet:
        """One parameter whose numbers are configured."""
        return replace(unit_normal(name), inits=(), bounds=(), auxdata=())


class ShapeFactor(Binwise):
    """A free factor of each bin."""

    name = "shapefactor"

    def components(self, uses: Sequence[Use], report: Report) -> int:
        """As many as the first channel, in sorted order, has bins: no other may have more."""
        first = min(uses, key=lambda use: use.channel)
        larger = [use for use in uses if use.n_bins > first.n_bins]
        for use in larger:
            message = f"the channel has {use.n_bins} bins, but the factors have the {first.n_bins} of channel "
            message += f"{first.channel!r}, the first by name that shares them. Rename one"
            report.fault((*use.steps, "name"), message)
        return 0 if larger else first.n_bins

    def parameter(self, name: str, members: Members, constraint: Constraint | None) -> ParameterSet:
        """Free parameters."""
        return free(name, members[0][0].n_bins, is_scalar=False)
