"""Evaluate an HS3 document with ROOT or pyhs3: a program of its own, which reads JSON and writes JSON.

It runs in the interpreter that has ROOT or pyhs3, which need not have this library.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from typing import Any


def of_root(question: dict[str, Any]) -> dict[str, Any]:
    """2NLL of RooFit, of the model and data of an analysis."""
    import ROOT

    ROOT.gROOT.SetBatch(True)
    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.FATAL)
    workspace, analysis = ROOT.RooWorkspace("workspace"), chosen(question)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "likelihood.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**question["document"], "analyses": [analysis]}, file)
        if not ROOT.RooJSONFactoryWSTool(workspace).importJSON(path):
            raise RuntimeError("ROOT cannot import the document")
    [config] = [one for one in workspace.allGenericObjects() if hasattr(one, "GetPdf")]  # it has ROOT's own name
    likelihood = next(one for one in question["document"]["likelihoods"] if one["name"] == analysis["likelihood"])
    data = workspace.data(likelihood["data"][0]) if len(likelihood["data"]) == 1 else workspace.data("obsData")
    data = data or next(iter(workspace.allData()))
    nll = config.GetPdf().createNLL(
        data, ROOT.RooFit.GlobalObservables(config.GetGlobalObservables()), ROOT.RooFit.Offset("none")
    )
    values = []
    for point in question["points"]:
        for name, value in point.items():
            variable = workspace.var(name)
            if variable and not variable.isConstant():
                variable.setVal(value)
        values.append(2 * nll.getVal())
    return {"version": str(ROOT.gROOT.GetVersion()), "twice_nll": values}


def of_pyhs3(question: dict[str, Any]) -> dict[str, Any]:
    """2NLL of pyhs3, of the model and data of an analysis."""
    import numpy as np
    import pyhs3
    import pytensor
    from pytensor.graph.traversal import explicit_graph_inputs

    pytensor.config.cxx = ""
    workspace = pyhs3.Workspace(**question["document"])
    model = workspace.model(chosen(question)["name"], progress=False, mode="FAST_COMPILE")
    density = model.log_prob
    inputs = list(explicit_graph_inputs([density]))
    function = pytensor.function(inputs, density, mode="FAST_COMPILE", on_unused_input="ignore")
    given = {**dict(model.nominal_params), **dict(model.data)}
    values = []
    for point in question["points"]:
        known = {**given, **point}
        arguments = [np.asarray(known[one.name], one.dtype) for one in inputs]
        values.append(-2 * float(np.sum(function(*arguments))))
    return {"version": pyhs3.__version__, "twice_nll": values}


def chosen(question: dict[str, Any]) -> dict[str, Any]:
    """The analysis that was asked for, or the first."""
    analyses: list[dict[str, Any]] = question["document"]["analyses"]
    return next((one for one in analyses if one["name"] == question["analysis"]), analyses[0])


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    print("\n" + json.dumps({"ROOT": of_root, "pyhs3": of_pyhs3}[asked["program"]](asked)))
