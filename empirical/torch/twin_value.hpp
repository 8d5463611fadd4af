// What the files of the twin share. Private: nothing else includes this.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "nngpcheck/architectures/layers/layers.hpp"
#include "nngpcheck/empirical/torch/twin.hpp"
#include "nngpcheck/inputs/inputs.hpp"

namespace nngpcheck::empirical::twins {

/// A sample's sites: {} for a vector, {length} for a sequence, {nodes} for a graph, else a grid.
using Shape = std::vector<std::int64_t>;

std::int64_t sites(const Shape& shape);

/// What a layer maps: one row per site of each sample, as torch::nn has it.
struct Value {
  std::vector<at::Tensor> blocks;  // [rows, n_b]
  std::vector<Shape> shapes;       // by sample
  bool raw = false;                // the data, or what layers without weights make of it: one block
};

/// All blocks side by side, [rows, Σ n_b], and the same of each sample.
at::Tensor joined(const Value& value);
std::vector<at::Tensor> samples(const Value& value);

/// `all`, [rows, Σ n_b], in blocks as wide as those of `like`.
Value split_like(const at::Tensor& all, const Value& like);

/// The blocks from `first` on.
Value blocks_of(const Value& value, std::size_t first, std::size_t count);

/// The data.
Value raw(const inputs::Inputs& inputs);

/// One block without raw data, of the same samples.
Value hidden(const at::Tensor& block, std::vector<Shape> shapes);

/// One row per site of each sample's grid.
struct Rows {
  at::Tensor all;
  std::vector<Shape> shapes;
};

/// map(grid, rank) of every sample's grid, [1, Σ n_b, axes...], which it may give other axes.
template <class Map>
Rows map_samples(const Value& value, const Map& map) {
  std::vector<at::Tensor> rows;
  std::vector<Shape> shapes;
  const std::vector<at::Tensor> parts = samples(value);
  for (std::size_t s = 0; s < parts.size(); ++s) {
    Shape sizes = {1, parts[s].size(1)};
    sizes.insert(sizes.end(), value.shapes[s].begin(), value.shapes[s].end());
    const at::Tensor result = map(parts[s].t().reshape(sizes), value.shapes[s].size())[0];
    shapes.emplace_back(result.sizes().begin() + 1, result.sizes().end());
    rows.push_back(result.flatten(1).t());
  }
  return {at::cat(rows), std::move(shapes)};
}

/// A layer's surroundings: its name and those that all layers share.
struct Place {
  std::string name;
  const inputs::Inputs& inputs;
  const Parameters& parameters;
  Laws& laws;  // what each parameter that was read should be drawn from

  /// "L.suffix" as a tensor [rows, columns]. Throws SamplerError if there is no such parameter.
  at::Tensor parameter(const std::string& suffix) const;

  /// What acts on so many blocks: "L.suffix", or "L.suffix@0", "L.suffix@1", …
  std::vector<at::Tensor> parts(const std::string& suffix, std::size_t blocks) const;

  /// Those side by side, [rows, columns]: the weight of a module, of mean 0 and variance `option`/fan-in.
  at::Tensor weight(const std::string& suffix, std::size_t blocks, double option) const;

  /// A bias [n], undefined if its variance is 0.
  at::Tensor bias(const std::string& suffix, double variance, double mean = 0) const;

  /// Notes what "L.suffix" on so many blocks should be drawn from.
  void expect(const std::string& suffix, std::size_t blocks, const Law& law) const;
};

/// "L#j", or "L" where there is one; and "L[index]".
std::string numbered(const std::string& name, int j, int of);
std::string indexed(std::string name, const std::string& index);

/// The fan-in of a module's weight, [out, in, kernel...], as torch::nn::init counts it.
double fan_in(const at::Tensor& weight);

/// nn::Linear; `bias` may be undefined.
at::Tensor linear_map(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

/// A torch::nn module, or an nn::Functional where there is none.
std::function<at::Tensor(const at::Tensor&)> stock_activation(const netsor::Activation& activation);

/// In twin.cpp: the list of layers, one after the other.
Value apply(const architectures::Layers& layers, Value value, const Place& place);

// One overload per kind of layer. In twin.cpp:
Value apply(const architectures::Input& layer, const Value& value, const Place& place);
Value apply(const architectures::Dense& layer, const Value& value, const Place& place);
Value apply(const architectures::Activate& layer, const Value& value, const Place& place);
Value apply(const architectures::Residual& layer, const Value& value, const Place& place);
Value apply(const architectures::Concat& layer, const Value& value, const Place& place);
Value apply(const architectures::Product& layer, const Value& value, const Place& place);
Value apply(const architectures::Maximum& layer, const Value& value, const Place& place);
Value apply(const architectures::Glu& layer, const Value& value, const Place& place);
Value apply(const architectures::Rescale& layer, const Value& value, const Place& place);
Value apply(const architectures::Dropout& layer, const Value& value, const Place& place);
// In twin_norms.cpp:
Value apply(const architectures::LayerNorm& layer, const Value& value, const Place& place);
Value apply(const architectures::RmsNorm& layer, const Value& value, const Place& place);
Value apply(const architectures::GroupNorm& layer, const Value& value, const Place& place);
Value apply(const architectures::InstanceNorm& layer, const Value& value, const Place& place);
Value apply(const architectures::BatchNorm& layer, const Value& value, const Place& place);
// In twin_grid.cpp:
Value apply(const architectures::Conv& layer, const Value& value, const Place& place);
Value apply(const architectures::DepthwiseConv& layer, const Value& value, const Place& place);
Value apply(const architectures::TransposedConv& layer, const Value& value, const Place& place);
Value apply(const architectures::LocalConv& layer, const Value& value, const Place& place);
Value apply(const architectures::Pool& layer, const Value& value, const Place& place);
// In twin_graphs.cpp:
Value apply(const architectures::GraphConv& layer, const Value& value, const Place& place);
Value apply(const architectures::GraphAttention& layer, const Value& value, const Place& place);
// In twin_resize.cpp:
Value apply(const architectures::AdaptiveAveragePool& layer, const Value& value, const Place& place);
Value apply(const architectures::Pad& layer, const Value& value, const Place& place);
Value apply(const architectures::Crop& layer, const Value& value, const Place& place);
Value apply(const architectures::Upsample& layer, const Value& value, const Place& place);
Value apply(const architectures::PixelShuffle& layer, const Value& value, const Place& place);
Value apply(const architectures::GlobalAveragePool& layer, const Value& value, const Place& place);
Value apply(const architectures::GlobalSumPool& layer, const Value& value, const Place& place);
Value apply(const architectures::GlobalMaxPool& layer, const Value& value, const Place& place);
Value apply(const architectures::Last& layer, const Value& value, const Place& place);
Value apply(const architectures::Flatten& layer, const Value& value, const Place& place);
// In twin_attention.cpp and twin_recurrent.cpp:
Value apply(const architectures::SelfAttention& layer, const Value& value, const Place& place);
Value apply(const architectures::CrossAttention& layer, const Value& value, const Place& place);
Value apply(const architectures::LinearAttention& layer, const Value& value, const Place& place);
Value apply(const architectures::SimpleRnn& layer, const Value& value, const Place& place);
Value apply(const architectures::Gru& layer, const Value& value, const Place& place);
Value apply(const architectures::Lstm& layer, const Value& value, const Place& place);

}  // namespace nngpcheck::empirical::twins
