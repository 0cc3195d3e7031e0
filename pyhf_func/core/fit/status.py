"""How a fit ended; it is at home beside the results, which show it."""

from pyhf_func.results.status import Status as Status
