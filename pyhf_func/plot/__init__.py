"""Pictures of results, drawn with matplotlib (extra ``plot``), which is loaded when the first one is drawn.

Each function takes a result, and the model where it needs names, and returns a ``matplotlib.figure.Figure``: save it
with ``figure.savefig("name.pdf")``, or change it through ``figure.axes``. With ``ax=`` it draws in axes of yours. No
state of pyplot is touched.

Names are those of the model. ``label={"mu_SIG": r"$\\mu$", "SR_meff": "SR"}`` calls parameters, samples and channels
something else; what it says, matplotlib may read as mathematics. ``header="..."`` is the line above.

``metadata=`` takes what is known of a document beside the model, once for all pictures, as an object like this one, of
which all is optional; axes are laid out as in HS3, so that the metadata of a document that was read from there fit::

    {
        "experiment": "ATLAS",
        "energy": 13,                     in TeV
        "luminosity": 139,                in inverse femtobarns
        "labels": {"mu_SIG": "$\\mu$", "SR_meff": "SR"},
        "axes": {"SR_meff": [{"title": "$m_\\mathrm{eff}$", "unit": "GeV", "edges": [1000, 1500, 2000, 2500]}]}
    }

Arguments come before the metadata. All colours are in `pyhf_func.contrib.viz.palette`.
"""

from pyhf_func.plot.grids import exclusion as exclusion
from pyhf_func.plot.limits import cls as cls
from pyhf_func.plot.limits import limits as limits
from pyhf_func.plot.parameters import correlation as correlation
from pyhf_func.plot.parameters import pulls as pulls
from pyhf_func.plot.parameters import ranking as ranking
from pyhf_func.plot.profiles import profile as profile
from pyhf_func.plot.templates import templates as templates
from pyhf_func.plot.toys import goodness_of_fit as goodness_of_fit
from pyhf_func.plot.toys import toys as toys
from pyhf_func.plot.yields import yields as yields

__all__ = [
    "cls",
    "correlation",
    "exclusion",
    "goodness_of_fit",
    "limits",
    "profile",
    "pulls",
    "ranking",
    "templates",
    "toys",
    "yields",
]
