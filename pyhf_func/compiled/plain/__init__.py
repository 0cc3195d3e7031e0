"""Programs that NumPy runs operation by operation: slower than compiled ones, but there at once."""

from pyhf_func.compiled.plain.function import Function as Function
from pyhf_func.compiled.plain.program import OutOfTime as OutOfTime
from pyhf_func.compiled.plain.unsupported import Unsupported as Unsupported
