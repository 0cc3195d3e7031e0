"""From names to arrays and back: the only room that knows both."""

from pyhf_func.core.compiler.build import Compiled as Compiled
from pyhf_func.core.compiler.build import compile_model as compile_model
from pyhf_func.core.compiler.build import parameter_slices as parameter_slices
from pyhf_func.core.compiler.build import parameter_space as parameter_space
from pyhf_func.core.compiler.order import Order as Order
from pyhf_func.core.compiler.overrides import Bounds as Bounds
from pyhf_func.core.compiler.overrides import Fixed as Fixed
from pyhf_func.core.compiler.overrides import Init as Init
from pyhf_func.core.compiler.overrides import Start as Start
from pyhf_func.core.compiler.overrides import place_of as place_of
from pyhf_func.core.compiler.overrides import resolve_start as resolve_start
from pyhf_func.core.compiler.terms import Layout as Layout
