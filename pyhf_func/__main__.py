"""``python -m pyhf_func``: the same as the console script ``pyhf-func``."""

from pyhf_func.cli import main

if __name__ == "__main__":
    main(prog_name="pyhf-func")
