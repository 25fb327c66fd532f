"""Reads episodes the way ACT's loader does (tonyzhaozh/act, utils.py: EpisodicDataset, get_norm_stats) and holds
them against the frames they were made of.

usage: read_act.py DATASET SOURCE     prints one JSON object
"""

import json
import sys
from pathlib import Path

import h5py
import numpy as np
from source_frames import SourceFrames, plain, same

DATASET, SOURCE = Path(sys.argv[1]), SourceFrames(sys.argv[2])
CAMERAS = {key: plain(key) for key in SOURCE.images}
EPISODES = len(SOURCE.lengths)
NAMES = {"state": "qpos"}


def norm_stats():
    """Stacks all episodes: fails where their lengths differ."""
    qpos, action = [], []
    for episode in range(EPISODES):
        with h5py.File(DATASET / f"episode_{episode}.hdf5", "r") as root:
            qpos.append(root["/observations/qpos"][()])
            root["/observations/qvel"][()]
            action.append(root["/action"][()])
    stacked = {"qpos": np.stack(qpos), "action": np.stack(action)}
    return {
        name: {"shape": list(each.shape), "mean": each.mean((0, 1)).tolist(), "std": each.std((0, 1)).tolist()}
        for name, each in stacked.items()
    }


def get_item(episode, start):
    """One sample: what is seen at a step, and the actions from there on, zeros behind them."""
    with h5py.File(DATASET / f"episode_{episode}.hdf5", "r") as root:
        is_sim = root.attrs["sim"]
        shape = root["/action"].shape
        qpos = root["/observations/qpos"][start]
        root["/observations/qvel"][start]
        images = np.stack([root[f"/observations/images/{name}"][start] for name in CAMERAS.values()])
        action = root["/action"][start:] if is_sim else root["/action"][max(0, start - 1) :]
    padded = np.zeros(shape, dtype=np.float32)
    padded[: len(action)] = action
    is_pad = np.zeros(shape[0])
    is_pad[len(action) :] = 1
    return images, qpos, padded, is_pad


mismatches = []
longest = max(SOURCE.lengths)
for episode, length in enumerate(SOURCE.lengths):
    where = SOURCE.episode(episode)
    for start in range(0, longest):
        frame = where.start + min(start, length - 1)
        images, qpos, action, is_pad = get_item(episode, start)
        wanted = SOURCE.values["action"][np.arange(where.start + start, where.start + longest).clip(max=where.stop - 1)]
        if not same(qpos, SOURCE.values["observation.state"][frame]):
            mismatches.append(f"episode {episode}, step {start}: qpos differs")
        if not same(action[: longest - start], wanted) or is_pad.sum() != start:
            mismatches.append(f"episode {episode}, step {start}: action differs")
        for key, image in zip(CAMERAS, images, strict=True):
            if not same(image, SOURCE.values[key][frame]):
                mismatches.append(f"episode {episode}, step {start}: {key} differs")
    with h5py.File(DATASET / f"episode_{episode}.hdf5", "r") as root:
        if not same(root["is_pad"][:] == 1, np.arange(longest) >= length):
            mismatches.append(f"episode {episode}: is_pad differs")
        for key in SOURCE.features:
            name = NAMES.get(plain(key), plain(key))
            if not same(root[f"valid/{name}"][:length] == 1, SOURCE.valid[key][where]):
                mismatches.append(f"episode {episode}: valid/{name} differs")
            if root[f"valid/{name}"][length:].any():
                mismatches.append(f"episode {episode}: valid/{name} counts padded steps")

print(
    json.dumps(
        {"version": h5py.__version__, "lengths": SOURCE.lengths, "statistics": norm_stats(), "mismatches": mismatches}
    )
)
