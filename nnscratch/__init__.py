"""nnscratch: neural networks that read like their derivation, in NumPy.

>>> import numpy as np
>>> import nnscratch as nn
>>> layer = nn.Linear(3, 2, rng=0)
>>> y = layer.forward(np.array([1.0, 2.0, 3.0]))
>>> dx, grads = layer.backward(np.array([1.0, 10.0]))
>>> np.array_equal(grads["W"], np.outer([1, 10], [1, 2, 3]))  # dW = dy · xᵀ
True
"""

from nnscratch import initializers as initializers
from nnscratch import plots as plots
from nnscratch.checkpoint import load as load
from nnscratch.checkpoint import save as save
from nnscratch.data import Dataset as Dataset
from nnscratch.data import load_dataset as load_dataset
from nnscratch.data import load_idx as load_idx
from nnscratch.data import minibatches as minibatches
from nnscratch.data import stratified_split as stratified_split
from nnscratch.gradient_check import assert_gradients as assert_gradients
from nnscratch.gradient_check import check_gradients as check_gradients
from nnscratch.graph import Graph as Graph
from nnscratch.graph import Input as Input
from nnscratch.history import History as History
from nnscratch.jacobians import jacobian as jacobian
from nnscratch.jacobians import numerical_jacobian as numerical_jacobian
from nnscratch.layers import *  # noqa: F403
from nnscratch.losses import *  # noqa: F403
from nnscratch.metrics import accuracy as accuracy
from nnscratch.metrics import confusion_matrix as confusion_matrix
from nnscratch.model_summary import summary as summary
from nnscratch.models import cnn as cnn
from nnscratch.models import lenet as lenet
from nnscratch.models import mlp as mlp
from nnscratch.optimizers import *  # noqa: F403
from nnscratch.parameters import clip_norm as clip_norm
from nnscratch.parameters import flatten as flatten
from nnscratch.schedules import CosineDecay as CosineDecay
from nnscratch.schedules import StepDecay as StepDecay
from nnscratch.schedules import WarmupCosine as WarmupCosine
from nnscratch.training import *  # noqa: F403
