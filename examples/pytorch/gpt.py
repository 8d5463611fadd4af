"""A transformer as people write it after nanoGPT, as a function of its width, and the same with two lines changed.

    python -c "import numpy; numpy.save('tokens.npy', numpy.array([[1, 2, 3, 4], [1, 5, 6, 2]]))"
    python -m nngpcheck.export gpt:make --input tokens.npy -o gpt.nngp && nngpcheck import gpt.nngp
    python -m nngpcheck.export gpt:make_wide --input tokens.npy -o gpt_wide.nngp && nngpcheck check gpt_wide.nngp
"""
import math

import torch
from torch import nn
from torch.nn import functional as F

WORDS, LENGTH, HEADS = 7, 4, 2


class Attention(nn.Module):
    def __init__(self, n, power):
        super().__init__()
        self.c_attn, self.c_proj = nn.Linear(n, 3 * n), nn.Linear(n, n)
        self.power = power

    def forward(self, x):
        b, t, n = x.shape
        q, k, v = (y.view(b, t, HEADS, n // HEADS).transpose(1, 2) for y in self.c_attn(x).split(n, dim=2))
        scores = (q @ k.transpose(-2, -1)) * k.size(-1) ** -self.power  # the first line: 1/2, or 1
        scores = scores.masked_fill(torch.ones(t, t).tril() == 0, float("-inf"))
        y = F.softmax(scores, dim=-1) @ v
        return self.c_proj(y.transpose(1, 2).contiguous().view(b, t, n))


class GPT(nn.Module):
    def __init__(self, n, power, std):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(WORDS, n), nn.Embedding(LENGTH, n)
        self.ln_1, self.attn, self.ln_2 = nn.LayerNorm(n), Attention(n, power), nn.LayerNorm(n)
        self.c_fc, self.c_proj, self.ln_f = nn.Linear(n, 4 * n), nn.Linear(4 * n, n), nn.LayerNorm(n)
        self.lm_head = nn.Linear(n, WORDS, bias=False)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, std=std(m.in_features))  # the second line: 0.02, or n^(-1/2)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)
            elif isinstance(m, nn.Embedding):
                nn.init.normal_(m.weight, std=0.02)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.size(1)))
        x = x + self.attn(self.ln_1(x))
        x = x + self.c_proj(F.gelu(self.c_fc(self.ln_2(x))))
        return self.lm_head(self.ln_f(x))


def make(n):
    return GPT(n, power=0.5, std=lambda fan_in: 0.02)


def make_wide(n):
    return GPT(n, power=1, std=lambda fan_in: 1 / math.sqrt(fan_in))
