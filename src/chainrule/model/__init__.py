"""The artefact: a trained model as a folder that holds everything needed to predict."""

from chainrule.model.artefact import Model as Model
from chainrule.model.artefact import Predictions as Predictions
from chainrule.model.artefact import load as load
