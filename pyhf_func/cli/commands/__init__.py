"""The commands: each in the file of its name, which is loaded when the command is used.

Files import what is light at their top. The library's names are those of `pyhf_func` itself, which loads JAX when one
that needs it is first used: so help, wrong usage and completion do without.
"""
