"""How telling an event can fail."""


class NotNow(Exception):
    """The receiver is left alone for the moment; nothing was sent."""


class DeliveryFailed(Exception):
    """The receiver did not take the event; the text says why in a sentence, for operators."""
