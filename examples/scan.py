"""Draw CLs against the signal strength for a workspace, with the expected bands, and print upper limits.

Run: ``python examples/scan.py WORKSPACE.json [--output PLOT.png]`` (needs the extra ``plot``)
"""

import argparse
from pathlib import Path

import numpy as np

import pyhf_func as pf

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("workspace", type=Path)
parser.add_argument("--output", type=Path, default=Path(__file__).parent / "output" / "cls_scan.png")
arguments = parser.parse_args()

workspace = pf.read(arguments.workspace)
model = workspace.model()
data = workspace.data(model)
limit = pf.upper_limit(data, model)
scan = pf.scan(np.linspace(0.0, 1.1 * float(np.max(limit.expected)), 101), data, model)

arguments.output.parent.mkdir(parents=True, exist_ok=True)
pf.plot.cls(scan, model, header=arguments.workspace.stem).savefig(arguments.output, dpi=160)
print(f"observed 95% CL upper limit on {model.config.poi_name}: {float(limit.observed):.3f}")
print("expected at -2, -1, 0, 1, 2 sigma: " + ", ".join(f"{float(value):.3f}" for value in limit.expected))
print(f"plot: {arguments.output}")
