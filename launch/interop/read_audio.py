"""Reads the sound of datasets with Python's own wave module and with PyAV, FFmpeg's decoders.

usage: read_audio.py FOLDER_OF_DATASETS     prints one JSON object: samples by file, and those of WebDataset's samples
"""

import io
import json
import sys
import wave
from pathlib import Path

import av
import numpy as np
import webdataset

DATASETS = Path(sys.argv[1])


def with_wave(file):
    with wave.open(file) as sound:
        assert sound.getsampwidth() == 2, sound.getsampwidth()
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
        return sound.getframerate(), samples.reshape(-1, sound.getnchannels())


def with_av(file):
    """Interleaved as they are stored: neither resampled nor scaled."""
    with av.open(file) as container:
        stream = container.streams.audio[0]
        frames = [frame.to_ndarray().reshape(-1, stream.channels) for frame in container.decode(stream)]
        return stream.rate, np.concatenate(frames)


def report(rate, samples):
    return {"rate": rate, "dtype": samples.dtype.name, "samples": samples.tolist()}


files = {}
for path in sorted(DATASETS.glob("*/audio/*/*.wav")):
    rate, samples = with_av(str(path))
    if samples.dtype == np.int16:
        plain_rate, plain = with_wave(str(path))
        assert plain_rate == rate and np.array_equal(plain, samples), path
    files[str(path.relative_to(DATASETS))] = report(rate, samples)

shard = DATASETS / "webdataset" / "shard-000000.tar"
windows = []
for sample in webdataset.WebDataset(str(shard), shardshuffle=False).decode():
    for key in sorted(key for key in sample if key.endswith(".wav")):
        rate, samples = with_av(io.BytesIO(sample[key]))
        frame = sample["sample.mp"]["provenance"]["frame"]
        windows.append({"frame": frame, "key": key, **report(rate, samples)})

print(json.dumps({"files": files, "windows": windows}))
