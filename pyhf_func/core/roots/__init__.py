"""Roots of functions of which each value is a fit."""

from pyhf_func.core.roots.implicit import attach as attach
from pyhf_func.core.roots.newton import Bracket as Bracket
from pyhf_func.core.roots.newton import collapsed as collapsed
from pyhf_func.core.roots.newton import init as init
from pyhf_func.core.roots.newton import step as step
