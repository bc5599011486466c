"""scikit-learn's MLPClassifier, by `fit` with warm_start for as many epochs as are asked for.

`partial_fit` would check the data and turn all labels into rows of zeros and ones anew for each
epoch; one `fit` of several epochs does so once. No penalty, no early stopping, no Nesterov
momentum: the same step as the others. Its orders of the samples are its own, and each `fit` begins
with a new optimizer.
"""

import warnings

from tests.benchmarks.nets import BETA1, BETA2, CLASSES, EPSILON, LEARNING_RATE, MOMENTUM


def mlp_classifier(case, x, y, weights):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        [len(b) for _, b in weights[:-1]],
        solver=case.rule,
        alpha=0.0,
        batch_size=case.batch_size,
        learning_rate_init=LEARNING_RATE[case.rule],
        momentum=MOMENTUM,
        nesterovs_momentum=False,
        beta_1=BETA1,
        beta_2=BETA2,
        epsilon=EPSILON,
        n_iter_no_change=1_000_000,
        random_state=0,
        warm_start=True,
    )

    def fit(samples, epochs):
        model.max_iter = epochs
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # after epochs, as it was told
            model.fit(x[:samples], y[:samples])

    fit(max(case.batch_size, CLASSES), 1)  # makes the arrays, which then get our weights
    for (W, b), coef, intercept in zip(weights, model.coefs_, model.intercepts_, strict=True):
        coef[:], intercept[:] = W.T, b

    def train(samples, epochs):
        fit(samples, epochs)
        return model.loss_

    return train
