"""The frames that a dataset was made of, as `example.ts` laid them down: plain files that nothing of ours reads."""

import json
from pathlib import Path

import numpy as np


class SourceFrames:
    def __init__(self, folder):
        folder = Path(folder)
        spec = json.loads((folder / "frames.json").read_text())
        self.rate = spec["samples"]["tickRateHz"]
        self.lengths = spec["lengths"]
        self.total = sum(self.lengths)
        self.starts = np.cumsum([0, *self.lengths])
        self.tick_times = [int(each) for each in spec["tickTimes"]]
        self.valid = {key: np.array(each) for key, each in spec["valid"].items()}
        self.features = spec["features"]
        self.values = {key: self._read(folder / f"{key}.raw", each) for key, each in self.features.items()}
        self.images = [key for key, each in self.features.items() if each["kind"] == "image"]
        self.vectors = [key for key in self.features if key not in self.images]

    def _read(self, path, feature):
        if feature["kind"] == "image":
            shape = (self.total, feature["height"], feature["width"], 3)
            return np.memmap(path, dtype=np.uint8, shape=shape, mode="r")
        return np.fromfile(path).astype(feature["dtype"]).reshape(self.total, *feature["shape"])

    def episode(self, index):
        """Where the frames of an episode lie."""
        return slice(self.starts[index], self.starts[index + 1])

    def invalid(self, key):
        return int((~self.valid[key]).sum())


def plain(key):
    """The short name of a feature."""
    return key.removeprefix("observation.").removeprefix("images.").replace(".", "_")


def same(found, wanted):
    """Whether two arrays are equal, a NaN being equal to a NaN."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    return found.shape == wanted.shape and np.array_equal(found, wanted, equal_nan=wanted.dtype.kind == "f")
