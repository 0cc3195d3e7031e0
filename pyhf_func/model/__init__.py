"""The frozen model: what the verbs compute with, and how a spec becomes one."""

from pyhf_func.model.build import Options as Options
from pyhf_func.model.build import build as build
from pyhf_func.model.build import compiled_plainly as compiled_plainly
from pyhf_func.model.config import Config as Config
from pyhf_func.model.model import AnyModel as AnyModel
from pyhf_func.model.model import Model as Model
from pyhf_func.model.model import frozen as frozen
from pyhf_func.model.model import is_model as is_model
from pyhf_func.model.names import Names as Names
from pyhf_func.model.names import listed_bounds as listed_bounds
