"""Lesson 9: the loop that everyone who uses PyTorch knows, written exactly as there.

The only difference is the first line of code: it would be `import torch`. A hundred points lie
around the line y = 2x + 1, with noise. One linear neuron finds the line in 200 epochs of forward
pass, loss, zero_grad, backward pass and update; w comes out near 2 and b near 1.

Shows L5, L30 and L31.
"""

import chainrule as torch

torch.manual_seed(0)
x = torch.linspace(-3, 3, 100).unsqueeze(1)
y = 2 * x + 1 + 0.3 * torch.randn(100, 1)

model = torch.nn.Linear(1, 1)
criterion = torch.nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

losses = []
for epoch in range(200):
    prediction = model(x)
    loss = criterion(prediction, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    if epoch % 40 == 0:
        print(f"epoch {epoch:>3}   loss {loss.item():.4f}")

print(f"epoch {epoch:>3}   loss {losses[-1]:.4f}")
print(f"w = {model.weight.item():.2f}   b = {model.bias.item():.2f}")
