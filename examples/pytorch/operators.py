"""Models that use what the models of zoo.py do not: indices, orders, patches, distances, masks, sums of
weights, weights that are not normal. tests/import/archives has their archives, of widths (4, 8, 12): write(folder) makes them again."""
import math
import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    """Parts by name, and a function of them and the inputs. Weights of variance 1/fan-in, embeddings of 1, biases 0."""
    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)
        for p in (p for part in parts.values() if not isinstance(part, nn.EmbeddingBag) for p in part.parameters()):
            nn.init.normal_(p, std=1 / math.sqrt(p[0].numel())) if p.dim() > 1 else nn.init.zeros_(p)

    def forward(self, *inputs):
        return self.function(self, *inputs)


EDGES = torch.tensor([[0, 1, 1, 2, 2, 3, 3, 0], [1, 0, 2, 1, 3, 2, 0, 3]])


def graph_sums(n):
    """A graph's neighbours by index_add, scatter_add, scatter_reduce and index_put, labels by one_hot and gather."""
    def forward(net, x):
        source, target = EDGES
        h = torch.relu(net.inp(x))
        h = torch.relu(h + torch.zeros_like(h).index_add(0, target, net.l1(h)[source]))
        where = target[:, None].expand(-1, n)
        degree = torch.zeros(4).scatter_add(0, target, torch.ones(8))
        mean = torch.zeros_like(h).scatter_add(0, where, h[source]) / degree[:, None]
        most = torch.zeros_like(h).scatter_reduce(0, where, h[source], "amax", include_self=False)
        adjacency = torch.zeros(4, 4).index_put((source, target), torch.ones(8), accumulate=True)
        h = torch.relu(net.l2(torch.cat([mean, most], -1)) + 0.5 * adjacency @ h)
        labels = F.one_hot(torch.tensor([0, 1, 1, 0]), 2).to(h.dtype)
        pooled = (labels / labels.sum(0)).T @ h
        return net.out(pooled + h.gather(0, torch.tensor([[3], [-3 % 4]]).expand(-1, n)))
    return Net(forward, inp=nn.Linear(3, n), l1=nn.Linear(n, n), l2=nn.Linear(2 * n, n), out=nn.Linear(n, 1))


def orders(n):
    """Sorted, largest and middle values, ranges, distances and angles."""
    def forward(net, x):
        h = torch.stack([net.a(x), net.b(x), net.c(x)], 1)
        low, high = torch.aminmax(h, dim=1)
        h = h.sort(1, descending=True)[0].diff(dim=1).sum(1) + h.topk(2, 1)[0].mean(1) + h.median(1).values
        h = torch.tanh(net.mid(h + h.cummax(0)[0] - low * high.clamp(max=torch.ones(n))))
        unit = F.normalize(h, dim=-1)
        near = torch.exp(-torch.cdist(h, h) / math.sqrt(n)) + unit @ unit.T
        apart = F.pairwise_distance(h, h.flip(0)) / math.sqrt(n)
        return net.out(near @ h * apart[:, None])
    return Net(forward, a=nn.Linear(4, n), b=nn.Linear(4, n), c=nn.Linear(4, n), mid=nn.Linear(n, n), out=nn.Linear(n, 1))


def patches(n):
    """Patches taken and put back, shuffled channels, three interpolations, a mean of squares under a root."""
    def forward(net, x):
        h = torch.relu(net.embed(F.unfold(x, 2, stride=2).transpose(1, 2)))
        h = F.fold(net.back(h).transpose(1, 2), (4, 4), 2, stride=2)
        h = F.channel_shuffle(net.grouped(torch.relu(h)), 2)
        h = F.interpolate(h, scale_factor=1.5, mode="bicubic") + F.interpolate(h, size=6, mode="nearest-exact")
        h = torch.tanh(h).unfold(2, 3, 3).mean(-1)
        return net.out(F.lp_pool2d(h, 2, 2).flatten(1))
    return Net(forward, embed=nn.Linear(8, n), back=nn.Linear(n, 4 * n), grouped=nn.Conv2d(n, n, 1, groups=2),
               out=nn.Linear(3 * n, 1))


def masks(n):
    """PyTorch's attention with both of its masks, and an einsum of three tensors with dots."""
    def forward(net, x):
        h = net.inp(x)
        later = torch.triu(torch.ones(3, 3, dtype=torch.bool), 1)
        missing = torch.tensor([[False, False, True], [False, False, False]])
        y, _ = net.attention(h, h, h, attn_mask=later, key_padding_mask=missing)
        y = torch.einsum("...tc,...sc,ts->...tc", y, torch.tanh(h), torch.eye(3))
        return net.out(torch.relu(h + y))
    return Net(forward, inp=nn.Linear(2, n), attention=nn.MultiheadAttention(n, n // 2, batch_first=True), out=nn.Linear(n, 1))


def merged_lora(n):
    """Weights that are put together before they are applied: W + BA/2, and W' + W''."""
    def forward(net, x):
        h = torch.relu(net.inp(x))
        h = torch.relu(F.linear(h, net.w.weight + 0.5 * net.b.weight @ net.a.weight))
        return net.out(torch.relu(h @ (net.w.weight + net.w2.weight).T))
    return Net(forward, inp=nn.Linear(3, n), w=nn.Linear(n, n), w2=nn.Linear(n, n), a=nn.Linear(n, n // 2),
               b=nn.Linear(n // 2, n), out=nn.Linear(n, 1))


def bags(n):
    """Bags of words, by sums, means and maxima."""
    def forward(net, x):
        return net.out(torch.relu(net.mid(net.total(x) + net.mean(x) + net.most(x))))
    return Net(forward, total=nn.EmbeddingBag(5, n, mode="sum"), mean=nn.EmbeddingBag(5, n),
               most=nn.EmbeddingBag(5, n, mode="max"), mid=nn.Linear(n, n), out=nn.Linear(n, 1))


def uniform_mlp(n):
    """PyTorch's initialisation, and a vector with a mean."""
    class MLP(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.out = nn.Linear(3, n), nn.Linear(n, n), nn.Linear(n, 1)
            self.gain = nn.Parameter(torch.rand(n) + 0.5)

        def forward(self, x):
            return self.out(torch.relu(self.b(torch.relu(self.a(x)) * self.gain)))
    return MLP()


VECTORS, NODES, IMAGES, SEQUENCES = (3, 4), (4, 3), (1, 2, 4, 4), (2, 3, 2)
INPUTS = {graph_sums: NODES, orders: VECTORS, patches: IMAGES, masks: SEQUENCES, merged_lora: (3, 3),
          uniform_mlp: (3, 3)}
WORDS = {bags: torch.tensor([[0, 1, 1, 4], [2, 2, 3, 0]])}


def write(folder):
    from nngpcheck.export import export
    for make, shape in INPUTS.items():
        torch.manual_seed(0)
        export(make, torch.randn(shape), f"{folder}/{make.__name__}.nngp", widths=(4, 8, 12))
    for make, words in WORDS.items():
        export(make, words, f"{folder}/{make.__name__}.nngp", widths=(4, 8, 12))
