// Networks as lists of layers. A layer maps a signal to a signal: m columns, one per site of each sample
// (sites: positions of a grid, tokens of a sequence, nodes of a graph; a plain vector has one), each a vector
// of width n, in one or more blocks (concatenation along the width). The raw data is a signal too, of d rows.
//
// Every random matrix has entries N(0, variance/fan-in), every bias N(0, variance); a bias of variance 0 is
// left out. Random objects of the layer L are called "L.W", "L.b", …; where a weight acts on several blocks,
// block k has "L.W@k", and the fan-in counts all of them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "nngpcheck/architectures/layers/attention.hpp"
#include "nngpcheck/architectures/layers/graphs.hpp"
#include "nngpcheck/architectures/layers/recurrent.hpp"
#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/netsor/activation.hpp"
#include "nngpcheck/netsor/width.hpp"

namespace nngpcheck::architectures {

/// The network's inputs, or those of `others` that are called `of`, instead of what the list is applied to;
/// so it stands first in a list, of a branch, a shortcut, a `memory` or an `initial`.
struct Input {
  static constexpr const char* type = "input";
  std::string of;
  static std::vector<Field<Input>> fields();
};

/// W x + b at every site. "L.W", "L.b". The output has `blocks` blocks of width/blocks each, block j with
/// "L.W#j", "L.b#j" if there are several; norms, products and further layers see them as groups of channels.
/// With groups = g, which divides the blocks of input and output (of the data: its dimensions), output block
/// j reads only the blocks of its g-th, and the fan-in counts those.
struct Dense {
  static constexpr const char* type = "dense";
  netsor::Width width = {};
  double weight_variance = 1;
  double bias_variance = 0;
  int blocks = 1;
  int groups = 1;
  static std::vector<Field<Dense>> fields();
};

/// φ(x), coordinatewise.
struct Activate {
  static constexpr const char* type = "activation";
  netsor::Activation activation = netsor::Activation::named("relu");
  static std::vector<Field<Activate>> fields();
};

/// Σ_δ W_δ x(o·stride + δ·dilation - left) + b over the axes of a grid; sequences have one axis. Lists have
/// one entry per axis, or a single one for all. Output position o reads the input positions above, 0 ≤ δ <
/// kernel; left and the number of outputs are those of `Padding`. The fan-in counts the positions of the
/// kernel. "L.W[δ]" with comma-separated δ, "L.b"; blocks and groups as in Dense, "L.W#j[δ]". A fixed number
/// of groups; where it grows with n, groups of one channel, see DepthwiseConv.
struct Conv {
  static constexpr const char* type = "conv";
  std::vector<std::int64_t> kernel = {3};
  std::vector<std::int64_t> stride = {1};
  std::vector<std::int64_t> dilation = {1};
  Padding padding = "zero";
  netsor::Width width = {};
  double weight_variance = 1;
  double bias_variance = 0;
  int blocks = 1;
  int groups = 1;
  static std::vector<Field<Conv>> fields();
};

/// Σ_δ w_δ ⊙ x(o·stride + δ·dilation - left) + b, as Conv with a vector w_δ ~ N(0, weight_variance/positions
/// of the kernel) for each offset: every channel has a kernel of its own. A block gives `multiplier` blocks,
/// number m of block k with "L.w[δ]#m@k", "L.b#m@k" (the # and @ where there are several). Not on raw data.
struct DepthwiseConv {
  static constexpr const char* type = "depthwise_conv";
  std::vector<std::int64_t> kernel = {3};
  std::vector<std::int64_t> stride = {1};
  std::vector<std::int64_t> dilation = {1};
  Padding padding = "zero";
  int multiplier = 1;
  double weight_variance = 1;
  double bias_variance = 0;
  static std::vector<Field<DepthwiseConv>> fields();
};

/// torch's ConvTranspose: input position i adds W_δ x(i) to the output position i·stride + δ·dilation -
/// padding, of (length - 1)·stride - 2·padding + dilation·(kernel - 1) + output_padding + 1; then + b. The
/// fan-in is that of Conv, n · positions of the kernel, as in flax (torch.nn.init takes the outputs' width
/// instead).
struct TransposedConv {
  static constexpr const char* type = "transposed_conv";
  std::vector<std::int64_t> kernel = {2};
  std::vector<std::int64_t> stride = {2};
  std::vector<std::int64_t> dilation = {1};
  std::vector<std::int64_t> padding = {0};
  std::vector<std::int64_t> output_padding = {0};
  netsor::Width width = {};
  double weight_variance = 1;
  double bias_variance = 0;
  static std::vector<Field<TransposedConv>> fields();
};

/// Conv with weights of its own for every output position o: "L.W[o;δ]", and one bias. All samples have one
/// shape.
struct LocalConv {
  static constexpr const char* type = "local_conv";
  std::vector<std::int64_t> kernel = {3};
  std::vector<std::int64_t> stride = {1};
  std::vector<std::int64_t> dilation = {1};
  Padding padding = "zero";
  netsor::Width width = {};
  double weight_variance = 1;
  double bias_variance = 0;
  static std::vector<Field<LocalConv>> fields();
};

/// Pools over a window as in Conv; an empty stride means the kernel's size. An average divides by the
/// kernel's size, also where positions beyond the ends count as zero, or by the number of positions inside if
/// not count_include_pad (Keras; neural-tangents' normalize_edges); a maximum ignores those. On raw data, a
/// maximum is refused.
struct Pool {
  enum class Kind { average, sum, maximum };
  static constexpr const char* types[] = {"avg_pool", "sum_pool", "max_pool"};
  Kind kind = Kind::average;
  std::vector<std::int64_t> kernel = {2};
  std::vector<std::int64_t> stride = {};
  std::vector<std::int64_t> dilation = {1};
  Padding padding = "valid";
  bool count_include_pad = true;  // of averages
  static std::vector<Field<Pool>> fields();
};

/// The average over all sites of a sample.
struct GlobalAveragePool {
  static constexpr const char* type = "global_avg_pool";
};

/// Their sum.
struct GlobalSumPool {
  static constexpr const char* type = "global_sum_pool";
};

/// Their maximum, coordinatewise; not of raw data.
struct GlobalMaxPool {
  static constexpr const char* type = "global_max_pool";
};

/// Along each axis, of L positions, output o of `size` averages the positions ⌊oL/size⌋ … ⌈(o+1)L/size⌉ - 1.
struct AdaptiveAveragePool {
  static constexpr const char* type = "adaptive_avg_pool";
  std::vector<std::int64_t> size = {1};
  static std::vector<Field<AdaptiveAveragePool>> fields();
};

enum class PadMode { zero, circular, reflect, replicate };
template <>
inline constexpr std::array words<PadMode>{"zero", "circular", "reflect", "replicate"};

/// Positions before the first and behind the last of each axis: 0, the grid's other end ("circular"), the
/// nearest ("replicate"), or those inside in reverse order, the end itself left out ("reflect").
struct Pad {
  static constexpr const char* type = "pad";
  std::vector<std::int64_t> before = {1};
  std::vector<std::int64_t> after = {1};
  PadMode mode = PadMode::zero;
  static std::vector<Field<Pad>> fields();
};

/// Leaves out positions at both ends of each axis.
struct Crop {
  static constexpr const char* type = "crop";
  std::vector<std::int64_t> before = {0};
  std::vector<std::int64_t> after = {0};
  static std::vector<Field<Crop>> fields();
};

enum class Interpolation { nearest, linear };
template <>
inline constexpr std::array words<Interpolation>{"nearest", "linear"};

/// factor·L positions instead of L along each axis: the nearest one, x(⌊o/factor⌋), or linear interpolation
/// at (o + ½)/factor - ½, at the ends that of the end (align_corners = false).
struct Upsample {
  static constexpr const char* type = "upsample";
  std::vector<std::int64_t> factor = {2};
  Interpolation mode = Interpolation::nearest;
  static std::vector<Field<Upsample>> fields();
};

/// Blocks become positions: of f = Π factors blocks, block number k (row-major) is at p·factor + k. The input
/// has a multiple of f blocks (`blocks` of Dense and Conv), all of one width.
struct PixelShuffle {
  static constexpr const char* type = "pixel_shuffle";
  std::vector<std::int64_t> factor = {2};
  static std::vector<Field<PixelShuffle>> fields();
};

/// The last site of a sample.
struct Last {
  static constexpr const char* type = "last";
};

/// One site per sample: its sites become blocks, in their order.
struct Flatten {
  static constexpr const char* type = "flatten";
};

/// f(x) + s(x), f = layers, s = shortcut (the identity if empty).
struct Residual {
  static constexpr const char* type = "residual";
  Layers layers;
  Layers shortcut;
};

/// The blocks of all branches.
struct Concat {
  static constexpr const char* type = "concat";
  std::vector<Layers> branches;
};

/// The coordinatewise product of all branches. A branch of one site per sample acts on all sites of the
/// sample, one block on all blocks.
struct Product {
  static constexpr const char* type = "product";
  std::vector<Layers> branches;
};

/// Their coordinatewise maximum: of dense layers, maxout.
struct Maximum {
  static constexpr const char* type = "maximum";
  std::vector<Layers> branches;
};

/// (W x + b) ⊙ φ(V x + c), the gated linear unit: GLU with φ = sigmoid, SwiGLU with silu, GEGLU with gelu,
/// ReGLU with relu, bilinear with identity. "L.W", "L.b", "L.V", "L.c".
struct Glu {
  static constexpr const char* type = "glu";
  netsor::Activation activation = netsor::Activation::named("sigmoid");
  netsor::Width width = {};
  double weight_variance = 1;
  double bias_variance = 0;
  static std::vector<Field<Glu>> fields();
};

/// factor · x: scaled skips, learnt scalars at their start.
struct Rescale {
  static constexpr const char* type = "rescale";
  double factor = 1;
  static std::vector<Field<Rescale>> fields();
};

/// What a layer is part of: a network in training, or one in evaluation.
enum class NetworkMode { training, evaluation };
template <>
inline constexpr std::array words<NetworkMode>{"training", "evaluation"};

/// Of what dropout draws one mask: of every site, or of all sites of a sample.
enum class MaskSharing { none, sites };
template <>
inline constexpr std::array words<MaskSharing>{"none", "sites"};

/// In training: each coordinate of each site becomes 0 with probability `rate`, else x/(1 - rate),
/// independently; with shared = "sites" all sites of a sample share the mask (Dropout2d, variational
/// dropout). E[x²] grows by 1/(1 - rate) where sample and site coincide, E[xx'] of different ones stays. In
/// evaluation it is the identity. Not on raw data, whose kernel would stay random. The mask of column j is g
/// < Φ⁻¹(1 - rate), g = "L.mask[j]" ~ N(0, 1), of block k "L.mask[j]@k".
struct Dropout {
  static constexpr const char* type = "dropout";
  double rate = 0.5;
  NetworkMode mode = NetworkMode::training;
  MaskSharing shared = MaskSharing::none;
  static std::vector<Field<Dropout>> fields();
};

// Norms: (x - mean)/√(variance + ε) ⊙ γ + β with biased variances; γ ~ N(1, gain_variance) and β ~ N(0,
// bias_variance), one vector each for all sites, are left out at variance 0: "L.gain", "L.b", of block k
// "L.gain@k", "L.b@k".

enum class NormOver { width, sample };
template <>
inline constexpr std::array words<NormOver>{"width", "sample"};

/// Mean and variance over the width, of all blocks together; over = "sample": and over all sites of the
/// sample.
struct LayerNorm {
  static constexpr const char* type = "layer_norm";
  double epsilon = 0;
  double gain_variance = 0;
  double bias_variance = 0;
  NormOver over = NormOver::width;
  static std::vector<Field<LayerNorm>> fields();
};

/// x/√(mean of x² + ε) ⊙ γ, the mean as in LayerNorm.
struct RmsNorm {
  static constexpr const char* type = "rms_norm";
  double epsilon = 0;
  double gain_variance = 0;
  NormOver over = NormOver::width;
  static std::vector<Field<RmsNorm>> fields();
};

/// Mean and variance over the channels of a group and all sites of the sample. The blocks make the groups:
/// `groups` divides their number (`blocks` of Dense and Conv). For a fixed number of groups; instance_norm is
/// the other end.
struct GroupNorm {
  static constexpr const char* type = "group_norm";
  int groups = 1;
  double epsilon = 0;
  double gain_variance = 0;
  double bias_variance = 0;
  static std::vector<Field<GroupNorm>> fields();
};

/// Mean and variance per coordinate over all sites of the sample.
struct InstanceNorm {
  static constexpr const char* type = "instance_norm";
  double epsilon = 0;
  double gain_variance = 0;
  double bias_variance = 0;
  static std::vector<Field<InstanceNorm>> fields();
};

/// Mean and variance per coordinate over all sites of all samples of one batch. mode = "evaluation":
/// running_mean and running_variance instead, of all coordinates alike.
struct BatchNorm {
  static constexpr const char* type = "batch_norm";
  double epsilon = 0;
  double gain_variance = 0;
  double bias_variance = 0;
  NetworkMode mode = NetworkMode::training;
  double running_mean = 0;
  double running_variance = 1;
  static std::vector<Field<BatchNorm>> fields();
};

/// A layer and its name. Layers of one name share their random objects, and must draw the same ones. A name
/// left empty is filled in by `network()`: "dense1", "dense2", "conv1", …
struct Layer {
  using Kind =
      std::variant<Input, Dense, Activate, Conv, DepthwiseConv, TransposedConv, LocalConv, GraphConv,
                   GraphAttention, Pool, GlobalAveragePool, GlobalSumPool, GlobalMaxPool, AdaptiveAveragePool,
                   Pad, Crop, Upsample, PixelShuffle, Last, Flatten, Residual, Concat, Product, Maximum, Glu,
                   Rescale, Dropout, LayerNorm, RmsNorm, GroupNorm, InstanceNorm, BatchNorm, SelfAttention,
                   CrossAttention, LinearAttention, SimpleRnn, Gru, Lstm>;
  Kind kind;
  std::string name = {};
};

/// The lists of layers that a layer is made of.
std::vector<Layers*> parts(Layer& layer);

/// A kind of layer as TOML and `nngpcheck list` know it.
struct LayerKind {
  std::string name;  // "dense"
  std::string summary;
  std::vector<OptionInfo> options;
  std::vector<std::string> parts;  // keys that hold lists of layers; "branches" holds lists of them
  /// From its options, and its parts in that order.
  std::function<Layer::Kind(const Settings&, const std::vector<std::vector<Layers>>&)> make;
  std::vector<std::string> optional = {};  // parts that may be left out
};

/// All of them.
const std::vector<LayerKind>& layer_kinds();

/// The name in that table: "dense".
std::string type_name(const Layer::Kind& kind);

}  // namespace nngpcheck::architectures
