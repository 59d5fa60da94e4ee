"""Without labels: does an auto-encoder of a catalogue's features know moods better than they do?

python benchmarks/autoencoder.py --catalogue CATALOGUE.parquet --moods MOODS.csv [--moods ...]

Needs the extra `train`. The auto-encoder (9-32-8-32-9, denoising) learns on the catalogue alone;
codes, principal components and plain standardised features are then asked the same two things of
listeners' mood playlists: do k-means clusters agree with the moods, and are the nearest
neighbours of a track of its mood?
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from asked import need, parser

from emotion_dj.music.mood_from_features import FEATURES, unskewed

if TYPE_CHECKING:
    from collections.abc import Callable

    from sklearn.decomposition import PCA

CODE = 8
HIDDEN = 32
EPOCHS = 20
BATCH = 256
NOISE = 0.5
HIDE = 0.2
NEIGHBOURS = 10
SEEDS = range(5)


def main() -> None:
    """Learn on the catalogue, then ask every table of moods."""
    options = parser(__doc__)
    options.add_argument("--catalogue", type=Path, required=True)
    options.add_argument("--moods", type=Path, action="append", required=True)
    arguments = options.parse_args()
    need("torch")
    import pyarrow.parquet as pq
    import torch
    from sklearn.decomposition import PCA

    from emotion_dj.training.mood import read_moods

    torch.set_num_threads(1)
    table = pq.read_table(arguments.catalogue, columns=list(FEATURES))
    raw = unskewed(np.stack([table[name].to_numpy() for name in FEATURES], 1).astype(np.float32))
    mean, deviation = raw.mean(0), raw.std(0) + 1e-6
    songs = np.clip((raw - mean) / deviation, -4, 4)
    began = time.perf_counter()
    encoders = [_learn(songs, seed) for seed in SEEDS]
    print(f"{len(songs)} songs, {len(SEEDS)} auto-encoders, {time.perf_counter() - began:.0f} s")
    pca = PCA(CODE).fit(songs)
    for path in arguments.moods:
        playlist = read_moods(path)
        rows = np.clip((unskewed(playlist.features) - mean) / deviation, -4, 4)
        chance = float(np.mean([(playlist.labels == x).mean() for x in playlist.labels]))
        print(f"\n{path.stem}: {len(rows)} tracks, neighbours by chance {chance:.3f}")
        print(f"{'':24}{'ARI':>15}{'NMI':>15}{f'neighbours@{NEIGHBOURS}':>17}")
        _line("features", [rows], playlist.labels)
        _line(f"PCA, {CODE}", [pca.transform(rows)], playlist.labels)
        _line("PCA, 3", [pca.transform(rows)[:, :3]], playlist.labels)
        _line("PCA, whitened", [_whitened(pca, rows)], playlist.labels)
        _line(f"auto-encoder, {CODE}", [code(rows) for code in encoders], playlist.labels)


def _learn(songs: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the encoder of a denoising auto-encoder; its codes are standardised."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    data = torch.from_numpy(songs)
    width = data.shape[1]
    encode = nn.Sequential(nn.Linear(width, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, CODE))
    decode = nn.Sequential(nn.Linear(CODE, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, width))
    net = nn.Sequential(encode, nn.LayerNorm(CODE, elementwise_affine=False), decode)
    steps = EPOCHS * (len(data) // BATCH)
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    for _ in range(steps):
        clean = data[torch.randint(len(data), (BATCH,))]
        noisy = (clean + NOISE * torch.randn_like(clean)) * (torch.rand_like(clean) > HIDE)
        loss = nn.functional.mse_loss(net(noisy), clean)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()

    def code(rows: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            codes = net[:2](torch.from_numpy(np.asarray(rows, np.float32)))
            return np.asarray(codes.numpy())

    with torch.inference_mode():
        missed = float(nn.functional.mse_loss(net(data), data))
    print(f"seed {seed}: a song comes back with {1 - missed:.1%} of its variance")
    return code


def _whitened(pca: PCA, rows: np.ndarray) -> np.ndarray:
    return np.asarray(pca.transform(rows) / np.sqrt(pca.explained_variance_))


def _line(name: str, codings: list[np.ndarray], moods: np.ndarray) -> None:
    """Print mean and spread over codings and seeds of k-means."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    found: dict[str, list[float]] = {"ari": [], "nmi": [], "near": []}
    for rows in codings:
        for seed in SEEDS:
            groups = KMeans(len(np.unique(moods)), n_init=10, random_state=seed).fit_predict(rows)
            found["ari"].append(adjusted_rand_score(moods, groups))
            found["nmi"].append(normalized_mutual_info_score(moods, groups))
        found["near"].append(_agreement(rows, moods))
    cells = [f"{np.mean(values):.3f} +- {np.std(values):.3f}" for values in found.values()]
    print(f"{name:24}" + "".join(f"{cell:>16}" for cell in cells))


def _agreement(rows: np.ndarray, moods: np.ndarray) -> float:
    """Return the share of the nearest neighbours that have a track's own mood."""
    squares = (rows**2).sum(1)
    distances = squares[:, None] + squares[None] - 2 * rows @ rows.T
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1)[:, :NEIGHBOURS]
    return float((moods[nearest] == moods[:, None]).mean())


if __name__ == "__main__":
    main()
