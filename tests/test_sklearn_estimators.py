"""Classifier and Regressor among scikit-learn's estimators: its own checks, pipelines, searches."""

import pickle

import numpy as np
import pytest

import nnscratch as nn

datasets = pytest.importorskip("sklearn.datasets")
base = pytest.importorskip("sklearn.base")
selection = pytest.importorskip("sklearn.model_selection")
pipeline = pytest.importorskip("sklearn.pipeline")
preprocessing = pytest.importorskip("sklearn.preprocessing")
checks = pytest.importorskip("sklearn.utils.estimator_checks")

Classifier = nn.interop.sklearn.Classifier
Regressor = nn.interop.sklearn.Regressor

pytestmark = pytest.mark.torch  # agreement with scikit-learn


@checks.parametrize_with_checks([Classifier(), Regressor()])
def test_the_estimator_passes_scikit_learns_check(estimator, check):
    check(estimator)


@pytest.fixture
def blobs():
    X, y = datasets.make_blobs(120, 4, centers=3, random_state=0)
    return preprocessing.StandardScaler().fit_transform(X), np.array(["ant", "bee", "cat"])[y]


def quick(**options):
    return {"hidden": (12,), "epochs": 30, "learning_rate": 0.02, "random_state": 0, **options}


def test_pipelines_and_searches_with_several_processes(blobs):
    search = selection.GridSearchCV(
        pipeline.make_pipeline(preprocessing.StandardScaler(), Classifier(**quick())),
        {"classifier__hidden": [(4,), (12,)], "classifier__activation": ["tanh", "relu"]},
        n_jobs=2,
        cv=3,
    )
    search.fit(*blobs)
    assert search.best_score_ > 0.95
    assert search.predict(blobs[0][:3]).dtype == blobs[1].dtype
    assert (
        selection.cross_val_score(Regressor(**quick()), blobs[0], blobs[0][:, 0], cv=3).min() > 0.7
    )


@pytest.mark.parametrize("labels", [[False, True], [-1.0, 3.0], ["no", "yes"], [7, 2**40]])
def test_labels_of_any_kind_come_back(labels):
    X = np.array([[-1.0], [-0.9], [1.0], [1.1]])
    y = np.array(labels)[[0, 0, 1, 1]]
    classifier = Classifier(**quick()).fit(X, y)
    np.testing.assert_array_equal(classifier.predict(X), y, strict=True)
    np.testing.assert_allclose(classifier.predict_proba(X).sum(1), 1)
    np.testing.assert_allclose(np.exp(classifier.predict_log_proba(X)), classifier.predict_proba(X))


def test_the_loss_is_that_of_every_epoch(blobs):
    classifier = Classifier(**quick()).fit(*blobs)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 30
    assert classifier.loss_curve_[-1] < classifier.loss_curve_[0]
    assert classifier.history_["train_loss"] == classifier.loss_curve_


def test_early_stopping_holds_samples_out_and_stops(blobs):
    X, y = blobs
    shuffled = np.random.default_rng(0).permutation(y)  # nothing can be learned of them
    classifier = Classifier(**quick(epochs=500, early_stopping=3)).fit(X, shuffled)
    assert classifier.history_.stopped == "early stopping"
    assert classifier.n_iter_ < 500
    assert "valid_loss" in classifier.history_


def test_partial_fit_goes_on_where_it_was(blobs):
    X, y = blobs
    classifier = Classifier(**quick())
    for _ in range(40):
        classifier.partial_fit(X, y, classes=["ant", "bee", "cat", "dog"])
    assert classifier.n_iter_ == 40
    assert classifier.score(X, y) > 0.95
    assert classifier.predict_proba(X).shape == (120, 4)
    with pytest.raises(ValueError, match="'elk' is none of the classes"):
        classifier.partial_fit(X[:1], ["elk"])
    regressor = Regressor(**quick())
    for _ in range(60):
        regressor.partial_fit(X, 1000 + X[:, 0])
    assert regressor.score(X, 1000 + X[:, 0]) > 0.9


def test_a_weight_counts_as_so_many_samples(blobs):
    X, y = blobs
    weight = np.arange(len(X)) % 3
    for estimator, target in ((Classifier(**quick()), y), (Regressor(**quick()), X[:, :2])):
        estimator.batch_size = 1000
        one = base.clone(estimator).fit(X, target, sample_weight=weight)
        rows = np.repeat(np.arange(len(X)), weight)
        two = base.clone(estimator).fit(X[rows], target[rows])
        np.testing.assert_allclose(one.loss_curve_, two.loss_curve_, 1e-9)
    with pytest.raises(ValueError, match="at least one non-zero number"):
        Classifier().fit(X, y, sample_weight=np.zeros(len(X)))


def test_targets_of_any_size_are_learned_at_one_rate():
    x = np.linspace(-2, 2, 80)[:, np.newaxis]
    y = np.stack([1e6 + 1e-3 * np.sin(x[:, 0]), 1e9 * x[:, 0], np.full(80, 7.0)], 1)
    regressor = Regressor(activation="tanh", learning_rate=0.01, random_state=0).fit(x, y)
    found = regressor.predict(x)
    assert found.shape == y.shape
    assert nn.r2_score(y[:, 0], found[:, 0]) > 0.9
    assert nn.r2_score(y[:, 1], found[:, 1]) > 0.9
    np.testing.assert_allclose(found[:, 2], 7, atol=0.05)
    assert Regressor(**quick()).fit(x, y[:, 1]).predict(x).shape == (80,)


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Linear(4, 8, rng=0), nn.Tanh(), nn.Linear(8, 3, rng=1)),
        "Sequential(Linear(4, 8), Tanh(), BatchNorm(8), Dropout(0.1), Linear(8, 3))",
    ],
    ids=["layer", "text"],
)
def test_a_model_of_ones_own_is_copied(model, blobs):
    classifier = Classifier(**quick(model=model))
    before = None if isinstance(model, str) else model.params.copy()
    assert base.clone(classifier).fit(*blobs).score(*blobs) > 0.95
    assert classifier.fit(*blobs).score(*blobs) > 0.95
    if before is not None:
        assert all(np.array_equal(model.params[name], array) for name, array in before.items())
        assert model.dtype == np.float32


def test_frames_of_pandas_and_polars_are_taken(blobs):
    X, y = blobs
    names = ["a", "b", "c", "d"]
    expected = Classifier(**quick()).fit(X, y).predict_proba(X)
    for library in ("pandas", "polars"):
        module = pytest.importorskip(library)
        frame, column = module.DataFrame(dict(zip(names, X.T, strict=True))), module.Series(y)
        classifier = Classifier(**quick()).fit(frame, column)
        assert list(classifier.feature_names_in_) == names
        np.testing.assert_allclose(classifier.predict_proba(frame), expected)


def test_a_pickled_estimator_predicts_and_goes_on(blobs):
    classifier = Classifier(**quick()).fit(*blobs)
    twin = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(twin.predict(blobs[0]), classifier.predict(blobs[0]))
    for one in (classifier, twin):
        one.partial_fit(*blobs)
    np.testing.assert_array_equal(twin.predict_proba(blobs[0]), classifier.predict_proba(blobs[0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "rlu"}, "activation is one of .*, relu, .* received 'rlu'"),
        ({"optimizer": "adm"}, "optimizer is one of .*adam.* received 'adm'"),
        ({"model": "Linear("}, "the text of a model"),
        ({"model": 3}, "model is a layer, the text of one, or None, received 3"),
        ({"model": "Linear(4, 5)"}, r"gives the shape \(5,\) for a row of 4 .* expected \(3,\)"),
        ({"model": "Sequential(Linear(4, 3), Softmax())"}, "ends with Softmax.*; leave it out"),
        ({"epochs": 2.7}, "epochs is a whole number of at least 1, received 2.7"),
        ({"epochs": True}, "epochs is a whole number of at least 1, received True"),
        ({"batch_size": "auto"}, "batch_size is a whole number of at least 1, received 'auto'"),
        ({"hidden": (10.5,)}, "each of hidden is a whole number of at least 1, received 10.5"),
        ({"hidden": "auto"}, r"hidden is a sequence of whole numbers such as \(100,\)"),
        ({"hidden": None}, "each of hidden is a whole number of at least 1, received None"),
        ({"early_stopping": 2.9}, "early_stopping is a whole number of at least 1, received 2.9"),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_ones(options, message, blobs):
    with pytest.raises(ValueError, match=message):
        Classifier(**options).fit(*blobs)


def test_a_regressor_has_one_output_for_each_target(blobs):
    X, _ = blobs
    with pytest.raises(ValueError, match=r"expected \(2,\), a number for each target; end it with"):
        Regressor(**quick(model="Linear(4, 1)")).fit(X, X[:, :2])
    scaled = "Sequential(Normalize(4), Linear(4, 2))"  # which fit makes ready
    assert Regressor(**quick(model=scaled)).fit(X, X[:, :2]).predict(X).shape == (120, 2)


def test_a_truth_of_numpy_is_one(blobs):
    """As a search over an array of settings gives it."""
    X, y = blobs[0], np.random.default_rng(0).permutation(blobs[1])  # nothing to be learned
    for stops in (True, False):
        one, other = (
            Classifier(**quick(epochs=60, early_stopping=value)).fit(X, y)
            for value in (stops, np.bool_(stops))
        )
        assert one.loss_curve_ == other.loss_curve_
        assert (one.n_iter_ < 60) == stops


def test_too_few_samples_to_stop_early_are_told(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="a tenth of the samples, and there are 5; give 6 or more"):
        Classifier(**quick(early_stopping=True)).fit(X[:5], y[:5])
    Classifier(**quick(early_stopping=True)).fit(X[:6], y[:6])
