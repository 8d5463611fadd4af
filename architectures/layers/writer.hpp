// Private to architectures/: programs as they are written.
#pragma once

#include <Eigen/Core>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nngpcheck/architectures/layers/layers.hpp"
#include "nngpcheck/architectures/sites.hpp"
#include "nngpcheck/inputs/inputs.hpp"
#include "nngpcheck/netsor/builder.hpp"

namespace nngpcheck::architectures {

/// What a layer maps: raw data, or blocks with one column per site.
struct Signal {
  std::optional<Eigen::MatrixXd> data;
  std::vector<netsor::BundleId> blocks;
  Sites sites;
};

/// Writes a program's instructions on signals.
class Writer {
 public:
  explicit Writer(const inputs::Inputs& inputs) : inputs_(inputs) {}

  netsor::Builder& builder() { return builder_; }

  /// Names the layer whose instructions come next, and what the columns of bundles on these sites are called.
  void enter(const std::string& layer, const Sites& sites);

  /// The same of the sites that the layer made.
  void leave(const Sites& sites);

  /// The inputs' labels while the sites are theirs, else "sample" or "sample:position".
  netsor::Origin::Labels labels(const Sites& sites);
  const inputs::Inputs& inputs() const { return inputs_; }

  /// W x over all blocks, or U x of raw data; variance/fan-in.
  netsor::BundleId linear(const Signal& x, const std::string& name, netsor::Width width, double variance);

  /// x + b, b ~ N(mean, variance); x itself if both are 0.
  netsor::BundleId add_bias(netsor::BundleId x, const std::string& name, double variance, double mean = 0);

  /// The part of x that output block j of `blocks` reads where both are split into groups: a run of blocks,
  /// or of the data's rows. Throws ArchitectureError if groups do not divide them.
  Signal group(const Signal& x, int j, int blocks, int groups) const;

  /// The column b ~ N(mean, variance).
  netsor::BundleId bias(const std::string& name, netsor::Width width, double variance, double mean = 0);

  /// W of this name, made when first asked for.
  netsor::WeightId weight(const std::string& name, netsor::Width rows, netsor::Width columns,
                          double variance);

  /// x·M for raw data and blocks alike.
  Signal mix(const Signal& x, const netsor::SparseMatrix& matrix, Sites sites);

  /// Throws ArchitectureError: a layer that needs coordinates of width n got raw data.
  static void refuse_data(const Signal& x);

  /// Σ of the blocks' widths as a multiple of n.
  double total_width(const Signal& x) const;

  /// "L.W", or "L.W@k" where there are several blocks.
  static std::string block_name(const std::string& name, const Signal& x, std::size_t block);

  /// "#j", or "" of a single block: what the names of an output block's objects end in.
  static std::string output_suffix(int j, int blocks);

 private:
  template <class Object, class Id, class Make>
  Id shared(std::map<std::string, std::pair<Object, Id>>& made, const Object& object, const Make& make);

  const inputs::Inputs& inputs_;
  netsor::Builder builder_;
  std::shared_ptr<netsor::Origin> origin_;
  std::vector<std::pair<Sites, netsor::Origin::Labels>> labels_;  // that were asked for
  std::set<std::string> names_;
  std::map<std::string, std::pair<netsor::InputWeight, netsor::InputWeightId>> input_weights_;
  std::map<std::string, std::pair<netsor::Weight, netsor::WeightId>> weights_;
  std::map<std::string, std::pair<netsor::Bias, netsor::BiasId>> biases_;
};

// The layers that are more than a few instructions. Each throws ArchitectureError if it does not fit the
// value.
Signal apply(Writer& writer, const Conv& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const DepthwiseConv& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const TransposedConv& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const LocalConv& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const GraphConv& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const GraphAttention& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const Pool& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const AdaptiveAveragePool& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const Pad& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const Crop& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const Upsample& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const PixelShuffle& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const GlobalAveragePool& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const GlobalSumPool& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const GlobalMaxPool& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const Last& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const Flatten& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const Glu& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const Rescale& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const Dropout& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const LayerNorm& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const RmsNorm& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const GroupNorm& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const InstanceNorm& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const BatchNorm& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const SelfAttention& layer, const std::string& name, const Signal& x);
Signal apply(Writer& writer, const LinearAttention& layer, const std::string& name, const Signal& x);

/// Of what `memory` made of the network's inputs.
Signal apply(Writer& writer, const CrossAttention& layer, const std::string& name, const Signal& x,
             const Signal& memory);

/// What `initial` and `initial_cell` made of the network's inputs.
struct InitialStates {
  std::optional<Signal> state, cell;
};
Signal apply(Writer& writer, const SimpleRnn& layer, const std::string& name, const Signal& x,
             const InitialStates& initial);
Signal apply(Writer& writer, const Gru& layer, const std::string& name, const Signal& x,
             const InitialStates& initial);
Signal apply(Writer& writer, const Lstm& layer, const std::string& name, const Signal& x,
             const InitialStates& initial);

}  // namespace nngpcheck::architectures
