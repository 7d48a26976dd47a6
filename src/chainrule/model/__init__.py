"""The artefact: a trained model as a folder that holds everything needed to predict."""

from chainrule.model.artefact import Model as Model
from chainrule.model.artefact import Prediction as Prediction
from chainrule.model.artefact import Predictions as Predictions
from chainrule.model.card import Card as Card
from chainrule.model.card import Detail as Detail
from chainrule.model.forward import record_forward as record_forward
from chainrule.model.store import load as load
from chainrule.model.store import save as save
