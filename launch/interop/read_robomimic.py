"""Reads demonstrations with robomimic's SequenceDataset and holds them against the frames they were made of.

usage: read_robomimic.py FILE SOURCE     prints one JSON object
"""

import contextlib
import importlib.metadata
import json
import sys

import cpu_torchvision  # noqa: F401
import h5py
import numpy as np
import torch
from source_frames import SourceFrames, plain, same

SOURCE = SourceFrames(sys.argv[2])
OBSERVED = {key: plain(key) for key in SOURCE.features if key != "action"}
LENGTH = 8

with contextlib.redirect_stdout(sys.stderr):
    import robomimic.utils.file_utils as FileUtils
    import robomimic.utils.obs_utils as ObsUtils
    from robomimic.utils.dataset import SequenceDataset

    rgb = [OBSERVED[key] for key in SOURCE.images]
    low_dim = [name for key, name in OBSERVED.items() if key not in SOURCE.images]
    ObsUtils.initialize_obs_utils_with_obs_specs({"obs": {"low_dim": low_dim, "rgb": rgb}})
    environment = FileUtils.get_env_metadata_from_dataset(sys.argv[1])
    dataset = SequenceDataset(
        hdf5_path=sys.argv[1],
        obs_keys=list(OBSERVED.values()),
        dataset_keys=["actions", "rewards", "dones"],
        frame_stack=1,
        seq_length=LENGTH,
        pad_seq_length=True,
        load_next_obs=False,
        hdf5_cache_mode=None,
        hdf5_use_swmr=True,
    )

mismatches = []
for index in range(len(dataset)):
    sample = dataset[index]
    episode = int(np.searchsorted(SOURCE.starts, index, side="right")) - 1
    where = SOURCE.episode(episode)
    frames = np.arange(index, index + LENGTH).clip(max=where.stop - 1)
    if not same(sample["actions"], SOURCE.values["action"][frames].astype(sample["actions"].dtype)):
        mismatches.append(f"sample {index}: actions differ")
    if sample["dones"].ravel().tolist() != (frames == where.stop - 1).astype(int).tolist():
        mismatches.append(f"sample {index}: dones are {sample['dones'].ravel()}")
    if not np.isnan(sample["rewards"]).all():
        mismatches.append(f"sample {index}: rewards are {sample['rewards'].ravel()}")
    for key, name in OBSERVED.items():
        wanted = SOURCE.values[key][frames]
        found = np.asarray(sample["obs"][name])
        if not same(found.astype(wanted.dtype), wanted):
            mismatches.append(f"sample {index}: {name} differs")

batch = next(iter(torch.utils.data.DataLoader(dataset, batch_size=4)))
with h5py.File(sys.argv[1]) as file:
    demos = sorted(file["data"], key=lambda name: int(name[5:]))
    languages = [json.loads(file["data"][demo].attrs["ep_meta"])["lang"] for demo in demos]
    masks = {
        key: all(
            same(file["data"][demo]["valid"][plain(key)][:].astype(bool), SOURCE.valid[key][SOURCE.episode(i)])
            for i, demo in enumerate(demos)
        )
        for key in SOURCE.features
    }
print(
    json.dumps(
        {
            "versions": {name: importlib.metadata.version(name) for name in ("robomimic", "h5py", "torch")},
            "frames": SOURCE.total,
            "samples": len(dataset),
            "demos": dataset.n_demos,
            "environment": environment,
            "languages": languages,
            "masks": masks,
            "batch": {name: list(each.shape) for name, each in batch["obs"].items()},
            "mismatches": mismatches,
        }
    )
)
dataset.close_and_delete_hdf5_handle()
