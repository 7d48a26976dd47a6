// Words for those who never trained a network.

/** What a layer does, by its kind. */
const KINDS = {
  Linear: "Multiplies each number that comes in with a weight and adds them up, once for each number that goes out; a bias is added.",
  ReLU: "Lets positive numbers through and makes negative ones 0. Without such a bend, many layers could say no more than one.",
  LeakyReLU: "Lets positive numbers through and makes negative ones small.",
  Tanh: "Bends every number into −1 to 1.",
  Sigmoid: "Bends every number into 0 to 1.",
  GELU: "Lets large numbers through and fades out negative ones, smoothly.",
  SiLU: "Lets large numbers through and fades out negative ones, smoothly.",
  Dropout: "While it learns, some numbers, chosen by chance, are set to 0, so that the network does not lean on any single one.",
  Embedding: "Looks up some learned numbers for each category.",
  BatchNorm1d: "Shifts and stretches each number so that over the batch its mean is 0 and its spread 1.",
  LayerNorm: "Shifts and stretches the numbers of a row so that their mean is 0 and their spread 1.",
  Conv2d: "Slides small windows of weights over a picture and adds up what lies under each.",
  MaxPool2d: "Of each small window keeps the largest number.",
};

/** What a layer is, in short: Linear 18 → 64. */
export function kindOf(layer) {
  const sizes = /^(\w+)\(in_features=(\d+), out_features=(\d+)/.exec(layer.kind);
  if (sizes) return `${sizes[1]} ${number(sizes[2])} → ${number(sizes[3])}`;
  const dropped = /^(Dropout)\(p=([\d.]+)/.exec(layer.kind);
  if (dropped) return `${dropped[1]} ${Number((100 * dropped[2]).toPrecision(3))}%`;
  return layer.kind.replace("()", "");
}

export function meaningOf(layer) {
  if (layer.phase === "loss") return "Compares what the network said with what is true, and makes one number of it: 0 would be perfect.";
  return KINDS[/^\w+/.exec(layer.kind)?.[0]] ?? "";
}

function number(text) {
  return Number(text).toLocaleString("en");
}
