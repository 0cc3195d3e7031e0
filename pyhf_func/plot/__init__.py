"""Figures of results, drawn with matplotlib (extra ``plot``), which is loaded when the first one is drawn.

Each function takes a result, and the model where it needs names, and gives a ``matplotlib.figure.Figure``: save it
with ``figure.savefig("name.pdf")``, or change it through ``figure.axes``. No state of pyplot is touched.
"""

from pyhf_func.plot.grids import exclusion as exclusion
from pyhf_func.plot.limits import cls as cls
from pyhf_func.plot.limits import limits as limits
from pyhf_func.plot.parameters import correlation as correlation
from pyhf_func.plot.parameters import pulls as pulls
from pyhf_func.plot.parameters import ranking as ranking
from pyhf_func.plot.profiles import profile as profile
from pyhf_func.plot.toys import toys as toys
from pyhf_func.plot.yields import yields as yields

__all__ = ["cls", "correlation", "exclusion", "limits", "profile", "pulls", "ranking", "toys", "yields"]
