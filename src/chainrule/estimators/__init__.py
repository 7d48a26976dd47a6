"""Networks for tables under scikit-learn's contract: fit, predict, predict_proba, score."""

from chainrule.data.sources.reading import installed

with installed("sklearn", "an estimator"):
    import sklearn.callback as _callback  # noqa: F401 - since scikit-learn 1.9

from chainrule.estimators.classifier import NeuralClassifier as NeuralClassifier
from chainrule.estimators.regressor import NeuralRegressor as NeuralRegressor
