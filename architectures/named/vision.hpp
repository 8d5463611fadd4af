#pragma once

#include <array>
#include <vector>

#include "nngpcheck/architectures/network.hpp"

namespace nngpcheck::architectures {

/// What the networks of images have in common. Weights N(0, weight_variance/fan-in), those on the image N(0,
/// input_variance/fan-in), biases N(0, bias_variance); every norm has ε and no affine part. The readout acts
/// on the average over positions.
struct VisionOptions {
  int depth = 1;
  netsor::Activation activation = netsor::Activation::named("relu");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  double epsilon = 0;
  double readout_variance = 1;
};

enum class BlockNorm { batch_norm, layer_norm, none };
template <>
inline constexpr std::array words<BlockNorm>{"batch_norm", "layer_norm", "none"};

/// Wide residual network (Zagoruyko and Komodakis 2016), WRN-(6·depth + 4): conv 3×3, then three groups of
/// `depth` blocks x ↦ s(x) + conv(φ(norm(conv(φ(norm(x)))))), then norm and φ. The first block of the second
/// and third group has stride 2 and as shortcut s a convolution with a kernel of 1, on φ(norm(x)) in the
/// paper, on x here. norm = "batch_norm" (the paper's), "layer_norm" over the sample, or "none". The widening
/// factor is n.
struct WideResnetOptions : VisionOptions {
  BlockNorm norm = BlockNorm::batch_norm;
  static std::vector<Field<WideResnetOptions>> fields();
};
Network wide_resnet(const WideResnetOptions& options);

/// Inverted residual blocks of MobileNetV2 (Sandler et al. 2018): conv 3, then `depth` times x + W_2
/// φ(depthwise conv 3(φ(W_1 x))) with W_1 to the width expansion·n, then φ.
struct MobilenetOptions : VisionOptions {
  netsor::Width expansion = netsor::Width(6);
  static std::vector<Field<MobilenetOptions>> fields();
};
Network mobilenet(const MobilenetOptions& options);

/// U-Net (Ronneberger et al. 2015) without crops: u_0(x) = c(x), u_l(x) = c([x', up(u_{l-1}(pool(x')))]) with
/// x' = c(x), c = (conv 3, φ) twice, pool the maximum over windows of 2, up a transposed convolution of
/// kernel and stride 2, [ ] blocks side by side; u_depth. Every length is divisible by 2^depth.
struct UnetOptions : VisionOptions {
  static std::vector<Field<UnetOptions>> fields();
};
Network unet(const UnetOptions& options);

/// Vision transformer (Dosovitskiy et al. 2020): patches of `patch` positions, embedded by a convolution of
/// that kernel and stride, then `depth` pre-norm blocks h = x + Attention(LN(x)), h + W_2 φ(W_1 LN(h) + b_1)
/// + b_2 with hidden width 4n, and LN. head_size and scaling as in SelfAttention; positions are not encoded,
/// and the readout acts on the average.
struct VitOptions : VisionOptions {
  std::vector<std::int64_t> patch = {2};
  int heads = 1;
  int head_size = 0;
  Scaling scaling = Scaling::n;
  VitOptions() { activation = netsor::Activation::named("gelu"); }
  static std::vector<Field<VitOptions>> fields();
};
Network vit(const VitOptions& options);

}  // namespace nngpcheck::architectures
