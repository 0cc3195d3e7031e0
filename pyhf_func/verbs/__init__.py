"""The functional verbs: data and a model in, one complete named tuple out.

Each can be compiled, mapped and differentiated with respect to data, the tested value and every number of the
model. Called with plain numbers they run a compiled program that is shared by all models of one structure. Called
with tensors of PyTorch, TensorFlow or MXNet they give such tensors, with gradients.
"""

from pyhf_func._docs import read_whole
from pyhf_func.verbs.fit import covariance as covariance
from pyhf_func.verbs.fit import fit as fit
from pyhf_func.verbs.fit import profile as profile
from pyhf_func.verbs.group_impacts import group_impacts as group_impacts
from pyhf_func.verbs.hypotest import discovery as discovery
from pyhf_func.verbs.hypotest import hypotest as hypotest
from pyhf_func.verbs.hypotest import scan as scan
from pyhf_func.verbs.hypotest import upper_limit as upper_limit
from pyhf_func.verbs.intervals import goodness_of_fit as goodness_of_fit
from pyhf_func.verbs.intervals import impacts as impacts
from pyhf_func.verbs.intervals import intervals as intervals
from pyhf_func.verbs.intervals import yields as yields
from pyhf_func.verbs.toys import merge_toys as merge_toys
from pyhf_func.verbs.toys import toys as toys

read_whole(
    [
        covariance,
        discovery,
        fit,
        goodness_of_fit,
        group_impacts,
        hypotest,
        impacts,
        intervals,
        profile,
        scan,
        toys,
        upper_limit,
        yields,
    ]
)
