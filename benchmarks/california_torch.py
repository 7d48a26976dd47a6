"""The plain script: California housing trained with PyTorch, from the file to the test's error.

python california_torch.py DATA WIDTHS BATCH, such as california_housing.csv 64,64 64
"""

import sys
from itertools import pairwise

import numpy as np
import torch

EPOCHS = 20
WIDTHS, BATCH = [int(width) for width in sys.argv[2].split(",")], int(sys.argv[3])

table = torch.from_numpy(np.loadtxt(sys.argv[1], delimiter=",", skiprows=1, dtype="float32"))
generator = torch.Generator().manual_seed(0)
rows = torch.randperm(len(table), generator=generator)
first, second = int(0.7 * len(rows)), int(0.85 * len(rows))
parts = [table[part] for part in (rows[:first], rows[first:second], rows[second:])]
mean, deviation = parts[0].mean(0), parts[0].std(0)
(x, y), validation, test = (
    (scaled[:, :-1].contiguous(), scaled[:, -1:].contiguous())
    for scaled in ((part - mean) / deviation for part in parts)
)

layers = []
for inputs, outputs in pairwise([8, *WIDTHS]):
    layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
model = torch.nn.Sequential(*layers, torch.nn.Linear(WIDTHS[-1], 1))
criterion = torch.nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
best, weights = float("inf"), {}
for epoch in range(1, EPOCHS + 1):
    total = 0.0
    for chosen in torch.randperm(len(x), generator=generator).split(BATCH):
        loss = criterion(model(x[chosen]), y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(chosen)
    with torch.no_grad():
        judged = criterion(model(validation[0]), validation[1]).item()
    print(f"epoch {epoch}: train {total / len(x):.4f}, validation {judged:.4f}")
    if judged < best:
        best, weights = judged, {k: v.clone() for k, v in model.state_dict().items()}

model.load_state_dict(weights)
with torch.no_grad():
    error = criterion(model(test[0]), test[1]).sqrt() * deviation[-1]
print(f"test RMSE {error.item():.4f}")
