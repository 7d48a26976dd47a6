"""Pictures of a training as data: each can be drawn as SVG, and its numbers are given as CSV."""

from chainrule.explain.pictures.picture import Axis as Axis
from chainrule.explain.pictures.picture import Picture as Picture
