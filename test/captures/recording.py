"""The marks that record.py looks for."""


def recording(function):
    """function(lab, truth) plays a conversation between real programs, inside `with lab.capturing():`."""
    function.recording, function.written = True, False
    return function


def written(function):
    """function(truth) writes the packets of a conversation whose programs cannot be had."""
    function.recording, function.written = True, True
    return function
