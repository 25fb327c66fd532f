"""Lets torchvision from PyPI be imported beside a torch without CUDA."""

import ctypes
import importlib.util
from pathlib import Path

import torch


def declare_missing_operators():
    """torchvision from PyPI is built for CUDA on Linux. Beside a CPU torch its compiled half does not load,
    and its Python half, which is all that LeRobot uses, then asks for operators that nobody declared."""
    package = Path(importlib.util.find_spec("torchvision").origin).parent
    try:
        for library in package.glob("_C*.so"):
            ctypes.CDLL(str(library))
    except OSError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return library


_operators = declare_missing_operators()
