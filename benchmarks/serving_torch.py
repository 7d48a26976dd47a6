"""A network of PyTorch's behind FastAPI, as its users write it; prints where it listens."""

from __future__ import annotations

import socket

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, create_model

COLUMNS = [f"x{place}" for place in range(8)]
Row = create_model("Row", **dict.fromkeys(COLUMNS, (float | None, ...)))


class Rows(BaseModel):
    rows: list[Row]


torch.set_num_threads(1)
model = torch.nn.Sequential(
    torch.nn.Linear(8, 64), torch.nn.ReLU(),
    torch.nn.Linear(64, 64), torch.nn.ReLU(),
    torch.nn.Linear(64, 1),
).eval()  # fmt: skip
mean, std = torch.zeros(8), torch.ones(8)
app = FastAPI()


@app.post("/predict")
def predict(rows: Rows) -> dict[str, list[dict[str, float]]]:
    """Filled, scaled, predicted; FastAPI runs it in a thread."""
    values = [[getattr(row, name) for name in COLUMNS] for row in rows.rows]
    x = torch.tensor([[float("nan") if v is None else v for v in row] for row in values])
    with torch.inference_mode():
        found = model((torch.where(x.isnan(), mean, x) - mean) / std)
    return {"predictions": [{"y": round(value, 6)} for value in found[:, 0].tolist()]}


if __name__ == "__main__":
    bound = socket.create_server(("127.0.0.1", 0))
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as chainrule's
    print(f"http://127.0.0.1:{bound.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run([bound])
