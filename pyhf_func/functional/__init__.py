"""The functional verbs: data and a model in, one complete named tuple out.

Each can be compiled, mapped and differentiated with respect to data, the tested value and every number of the
model. Called with plain numbers they run a compiled program that is shared by all models of one structure. Called
with tensors of PyTorch, TensorFlow or MXNet they give such tensors, with gradients.
"""

from pyhf_func._docs import read_whole
from pyhf_func.functional.asymptotic import discovery as discovery
from pyhf_func.functional.asymptotic import hypotest as hypotest
from pyhf_func.functional.asymptotic import scan as scan
from pyhf_func.functional.asymptotic import upper_limit as upper_limit
from pyhf_func.functional.fits import covariance as covariance
from pyhf_func.functional.fits import fit as fit
from pyhf_func.functional.fits import profile as profile
from pyhf_func.functional.groups import group_impacts as group_impacts
from pyhf_func.functional.pseudo_experiments import merge_toys as merge_toys
from pyhf_func.functional.pseudo_experiments import toys as toys
from pyhf_func.functional.uncertainties import goodness_of_fit as goodness_of_fit
from pyhf_func.functional.uncertainties import impacts as impacts
from pyhf_func.functional.uncertainties import intervals as intervals
from pyhf_func.functional.uncertainties import yields as yields

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
