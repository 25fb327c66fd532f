"""Reads replay buffers with zarr 2, the way ReplayBuffer and SequenceSampler of diffusion_policy do, and holds
them against the frames they were made of.

usage: read_zarr.py DIRECTORY ZIP SOURCE     prints one JSON object
"""

import json
import sys

import numcodecs
import numpy as np
import zarr
from source_frames import SourceFrames, plain, same

SOURCE = SourceFrames(sys.argv[3])


def copy_from_store(store):
    """ReplayBuffer.copy_from_store: everything into memory, chunks as they are."""
    root = zarr.group(store=zarr.MemoryStore())
    for group in ("data", "meta"):
        zarr.copy_store(source=store, dest=root.store, source_path=f"/{group}", dest_path=f"/{group}")
    for key, value in root["data"].items():
        assert value.shape[0] == root["meta"]["episode_ends"][-1], key
    return root


def sequences(ends, horizon, before, after):
    """create_indices of diffusion_policy's sampler: windows that may reach over both ends of an episode."""
    for episode, end in enumerate(ends):
        start = 0 if episode == 0 else ends[episode - 1]
        for first in range(-before, end - start - horizon + after + 1):
            yield max(first, 0) + start, min(first + horizon, end - start) + start


def read(store):
    root = copy_from_store(store)
    report = {"mismatches": [], "arrays": {}, "windows": 0}
    ends = root["meta"]["episode_ends"][:]
    if ends.tolist() != SOURCE.starts[1:].tolist():
        report["mismatches"].append(f"episode_ends are {ends.tolist()}")
    for key in SOURCE.features:
        name = plain(key)
        array = root["data"][name]
        report["arrays"][name] = [str(array.dtype), *array.shape]
        if not same(array[:], SOURCE.values[key]):
            report["mismatches"].append(f"{name} differs")
        if not same(root["data"][f"valid_{name}"][:], SOURCE.valid[key]):
            report["mismatches"].append(f"valid_{name} differs")
        if np.isnan(root["data"][f"age_{name}"][:][SOURCE.valid[key]]).any():
            report["mismatches"].append(f"age_{name} is missing where {name} is valid")
    if root["data"]["tick_time"][:].tolist() != SOURCE.tick_times:
        report["mismatches"].append("tick_time differs")
    for start, end in sequences(ends, horizon=16, before=1, after=7):
        window = root["data"]["action"][start:end]
        assert 0 < len(window) <= 16
        report["windows"] += 1
    report["attributes"] = dict(zarr.group(store).attrs)
    return report


reports = [read(zarr.DirectoryStore(sys.argv[1])), read(zarr.ZipStore(sys.argv[2], mode="r"))]
versions = {"zarr": zarr.__version__, "numcodecs": numcodecs.__version__}
print(json.dumps({"versions": versions, "frames": SOURCE.total, "reports": reports}))
