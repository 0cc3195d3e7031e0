"""``python -m pyhf_func``: the same as the console script ``pyhf-func``."""

from pyhf_func.cli import main

main(prog_name="pyhf-func")
