"""Small models of many kinds as factories make(n), for `python -m nngpcheck.export zoo:vit --input x.npy -o vit.nngp`.
docs/import.md says what is found about each. INPUTS has the shape of x for each of them."""
import math
import torch
from torch import nn
import torch.nn.functional as F


def gauss(model):
    """Weights of variance 1/fan-in, embeddings of variance 1, biases 0."""
    for name, p in model.named_parameters():
        if name in ("emb.weight", "cls", "pos"):
            nn.init.normal_(p)
        elif p.dim() >= 2:
            nn.init.normal_(p, std=1 / math.sqrt(p[0].numel()))
        elif "bias" in name:
            nn.init.zeros_(p)
    return model


class LoRALinear(nn.Module):
    """W x + B A x/2."""
    def __init__(self, n_in, n_out, r):
        super().__init__()
        self.base = nn.Linear(n_in, n_out, bias=False)
        self.a = nn.Linear(n_in, r, bias=False)
        self.b = nn.Linear(r, n_out, bias=False)

    def forward(self, x):
        return self.base(x) + 0.5 * self.b(self.a(x))


class LoRA(nn.Module):
    def __init__(self, n, r):
        super().__init__()
        self.inp = nn.Linear(4, n)
        self.l1 = LoRALinear(n, n, r)
        self.l2 = LoRALinear(n, n, r)
        self.out = nn.Linear(n, 1, bias=False)

    def forward(self, x):
        h = torch.relu(self.inp(x))
        h = torch.relu(self.l1(h))
        h = torch.relu(self.l2(h))
        return self.out(h)


def lora(n):
    return gauss(LoRA(n, n // 4))


def lora_fixed_rank(n):
    return gauss(LoRA(n, 4))


def lora_zero_b(n):
    m = gauss(LoRA(n, 4))
    for l in (m.l1, m.l2):
        nn.init.zeros_(l.b.weight)
    return m


class UNet(nn.Module):
    def __init__(self, n):
        super().__init__()
        c = lambda i, o: nn.Conv2d(i, o, 3, padding=1)
        self.d1, self.d2, self.mid = c(2, n), c(n, 2 * n), c(2 * n, 2 * n)
        self.up = nn.ConvTranspose2d(2 * n, n, 2, stride=2)
        self.u1 = c(2 * n, n)
        self.head = nn.Conv2d(n, 1, 1, bias=False)

    def forward(self, x):
        a = torch.relu(self.d1(x))
        b = torch.relu(self.d2(F.avg_pool2d(a, 2)))
        m = torch.relu(self.mid(b))
        u = self.up(m)
        return self.head(torch.relu(self.u1(torch.cat([u, a], 1))))


def unet(n):
    m = gauss(UNet(n))
    nn.init.normal_(m.up.weight, std=1 / math.sqrt(2 * n))
    return m


class ViT(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.patch = nn.Conv2d(1, n, 2, stride=2)
        self.cls = nn.Parameter(torch.randn(1, 1, n))
        self.pos = nn.Parameter(torch.randn(1, 5, n) * 0.5)
        self.ln1, self.ln2, self.ln3 = nn.LayerNorm(n), nn.LayerNorm(n), nn.LayerNorm(n)
        self.h = n // 4
        self.qkv = nn.Linear(n, 3 * n, bias=False)
        self.proj = nn.Linear(n, n, bias=False)
        self.mlp = nn.Sequential(nn.Linear(n, 4 * n), nn.GELU(), nn.Linear(4 * n, n))
        self.head = nn.Linear(n, 1, bias=False)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.pos
        B, T, C = x.shape
        q, k, v = self.qkv(self.ln1(x)).reshape(B, T, 3, self.h, C // self.h).permute(2, 0, 3, 1, 4)
        a = torch.softmax(q @ k.transpose(-2, -1) / (C // self.h) ** 0.5, -1)
        x = x + self.proj((a @ v).transpose(1, 2).reshape(B, T, C))
        x = x + self.mlp(self.ln2(x))
        return self.head(self.ln3(x)[:, 0])


def vit(n):
    return gauss(ViT(n))


class Seq2Seq(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.enc = nn.GRU(3, n, batch_first=True)
        self.dec = nn.GRU(3, n, batch_first=True)
        self.out = nn.Linear(n, 1, bias=False)

    def forward(self, x):
        _, h = self.enc(x)
        y, _ = self.dec(x[:, :2], h)
        return self.out(y)


def seq2seq(n):
    m = Seq2Seq(n)
    for name, p in m.named_parameters():
        if p.dim() == 2:
            nn.init.normal_(p, std=1 / math.sqrt(p.shape[1]))
        else:
            nn.init.zeros_(p)
    return m


class Grouped(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.c1 = nn.Conv2d(2, n, 3, padding=1)
        self.c2 = nn.Conv2d(n, n, 3, padding=1, groups=4)
        self.c3 = nn.Conv2d(n, n, 1)
        self.head = nn.Linear(n, 1, bias=False)

    def forward(self, x):
        x = torch.relu(self.c1(x))
        x = torch.relu(self.c2(x))
        x = torch.relu(self.c3(x))
        return self.head(x.mean((2, 3)))


def grouped_conv(n):
    return gauss(Grouped(n))


class Highway(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.inp = nn.Linear(4, n)
        self.t, self.h = nn.Linear(n, n), nn.Linear(n, n)
        self.out = nn.Linear(n, 1, bias=False)

    def forward(self, x):
        x = torch.tanh(self.inp(x))
        t = torch.sigmoid(self.t(x))
        x = t * torch.tanh(self.h(x)) + (1 - t) * x
        return self.out(x)


def highway(n):
    return gauss(Highway(n))


class Experts(nn.Module):
    """Two experts, and softmax gates of means over the width."""
    def __init__(self, n):
        super().__init__()
        self.inp = nn.Linear(4, n)
        self.e = nn.ModuleList(nn.Linear(n, n) for _ in range(2))
        self.out = nn.Linear(n, 1, bias=False)

    def forward(self, x):
        h = torch.relu(self.inp(x))
        s = torch.stack([(e(h) ** 2).mean(-1) for e in self.e], -1)
        g = torch.softmax(s, -1)
        y = sum(g[:, k:k + 1] * torch.relu(e(h)) for k, e in enumerate(self.e))
        return self.out(y)


def experts(n):
    return gauss(Experts(n))


class TextCNN(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.emb = nn.Embedding(7, n)
        self.convs = nn.ModuleList(nn.Conv1d(n, n, k) for k in (2, 3))
        self.out = nn.Linear(2 * n, 1, bias=False)

    def forward(self, x):
        e = self.emb(x.long()).transpose(1, 2)
        return self.out(torch.cat([torch.relu(c(e)).amax(-1) for c in self.convs], 1))


def text_cnn(n):
    return gauss(TextCNN(n))


def bert_layer(n):
    class M(nn.Module):
        def __init__(self):
            super().__init__()
            self.inp = nn.Linear(3, n)
            self.layer = nn.TransformerEncoderLayer(n, n // 4, 2 * n, dropout=0.0, activation="gelu", batch_first=True,
                                                    norm_first=True)
            self.out = nn.Linear(n, 1, bias=False)

        def forward(self, x):
            return self.out(self.layer(self.inp(x)))
    return gauss(M())


class LlamaBlock(nn.Module):
    """RMSNorm, rotary positions, grouped-query attention with heads that grow, SwiGLU."""
    def __init__(self, n):
        super().__init__()
        self.inp = nn.Linear(3, n, bias=False)
        self.n1, self.n2, self.nf = nn.RMSNorm(n), nn.RMSNorm(n), nn.RMSNorm(n)
        self.q, self.k, self.v, self.o = (nn.Linear(n, n, bias=False) for _ in range(4))
        self.w1, self.w3 = (nn.Linear(n, 2 * n, bias=False) for _ in range(2))
        self.w2 = nn.Linear(2 * n, n, bias=False)
        self.out = nn.Linear(n, 1, bias=False)
        self.h = n // 4

    def rope(self, x):
        T, d = x.shape[-2], x.shape[-1]
        f = 1.0 / (100 ** (torch.arange(0, d, 2) / d))
        a = torch.outer(torch.arange(T).float(), f).to(x.dtype)
        x1, x2 = x[..., : d // 2], x[..., d // 2:]
        return torch.cat([x1 * a.cos() - x2 * a.sin(), x1 * a.sin() + x2 * a.cos()], -1)

    def forward(self, x):
        x = self.inp(x)
        B, T, C = x.shape
        h = self.n1(x)
        sp = lambda y: y.view(B, T, self.h, C // self.h).transpose(1, 2)
        q, k, v = self.rope(sp(self.q(h))), self.rope(sp(self.k(h))), sp(self.v(h))
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o(a.transpose(1, 2).reshape(B, T, C))
        h = self.n2(x)
        x = x + self.w2(F.silu(self.w1(h)) * self.w3(h))
        return self.out(self.nf(x))


def llama(n):
    return gauss(LlamaBlock(n))


def stock_mlp(n):
    return nn.Sequential(nn.Linear(4, n), nn.Tanh(), nn.Linear(n, n), nn.Tanh(), nn.Linear(n, 1))


VECTORS, SEQUENCES, IMAGES, GREY, TOKENS = (3, 4), (2, 3, 3), (2, 2, 4, 4), (2, 1, 4, 4), (2, 4)
INPUTS = {lora: VECTORS, lora_fixed_rank: VECTORS, lora_zero_b: VECTORS, unet: IMAGES, vit: GREY, seq2seq: SEQUENCES,
          grouped_conv: IMAGES, highway: VECTORS, experts: VECTORS, text_cnn: TOKENS, bert_layer: SEQUENCES, llama: SEQUENCES,
          stock_mlp: VECTORS}
