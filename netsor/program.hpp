// A network architecture applied to a finite set of inputs: one immutable, type-checked value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "nngpcheck/netsor/ids.hpp"
#include "nngpcheck/netsor/operation.hpp"

namespace nngpcheck::netsor {

/// X ∈ R^{width × columns}. Gaussian: every coordinate is jointly Gaussian over the columns in the limit,
/// by inference from the instruction (a constant counts as Gaussian).
struct BundleType {
  Width width;
  Index columns = 0;
  bool gaussian = false;
};

/// T ∈ R^{rows × columns}.
struct TableType {
  Index rows = 0;
  Index columns = 0;
};

using Type = std::variant<BundleType, TableType>;

/// Where instructions come from, for messages. It is no part of what they are: instructions are the same
/// whatever it is.
struct Origin {
  using Labels = std::shared_ptr<const std::vector<std::string>>;

  std::string layer;           // as its network calls it: "conv1"
  std::vector<Labels> labels;  // of bundles with as many columns: the inputs that they belong to

  /// Its label among those of a bundle or table with so many columns; "" if nothing is known.
  std::string label(Index column, Index columns) const;

  /// What is left of a bundle with so many columns when only these are kept.
  Origin restricted(const std::vector<Index>& kept, Index columns) const;
};

/// One instruction and what it makes.
struct Node {
  Operation operation;
  Type type;
  std::shared_ptr<const Origin> origin = {};  // null if the builder was not told
};

/// The readout y = vᵀX/√n over the blocks X_b (bundles with equally many columns): its covariance is
/// σ_v² Σ_b (n_b/Σn) E[X_bᵀX_b], the kernel of the program.
struct Output {
  ReadoutId readout;
  std::vector<BundleId> blocks;
  std::vector<std::string> labels;  // one per column, distinct
};

/// Made by a Builder. Instructions are in topological order and no two of them are the same.
class Program {
 public:
  const std::vector<Node>& nodes() const { return nodes_; }
  const Output& output() const { return output_; }

  /// Number of columns of the output: the kernel is outputs() × outputs().
  Index outputs() const { return static_cast<Index>(output_.labels.size()); }

  const std::vector<InputWeight>& input_weights() const { return input_weights_; }
  const std::vector<Weight>& weights() const { return weights_; }
  const std::vector<Bias>& biases() const { return biases_; }
  const Readout& readout() const { return readouts_[output_.readout.index()]; }

  const InputWeight& operator[](InputWeightId id) const { return input_weights_[id.index()]; }
  const Weight& operator[](WeightId id) const { return weights_[id.index()]; }
  const Bias& operator[](BiasId id) const { return biases_[id.index()]; }
  const Node& operator[](BundleId id) const { return nodes_[id.index()]; }
  const Node& operator[](TableId id) const { return nodes_[id.index()]; }

  const BundleType& type(BundleId id) const { return std::get<BundleType>(nodes_[id.index()].type); }
  const TableType& type(TableId id) const { return std::get<TableType>(nodes_[id.index()].type); }

  /// The ids of instruction number `index`. Precondition: it makes a bundle, or a table.
  BundleId bundle(std::size_t index) const { return {serial_, static_cast<std::uint32_t>(index)}; }
  TableId table(std::size_t index) const { return {serial_, static_cast<std::uint32_t>(index)}; }

  /// The ids of random objects, by their position in the lists above.
  InputWeightId input_weight(std::size_t index) const { return {serial_, static_cast<std::uint32_t>(index)}; }
  WeightId weight(std::size_t index) const { return {serial_, static_cast<std::uint32_t>(index)}; }
  BiasId bias(std::size_t index) const { return {serial_, static_cast<std::uint32_t>(index)}; }

  /// How messages and the printer call an instruction: g3 (Gaussian bundle), x4 (bundle), t5 (table).
  std::string name(std::size_t index) const;

  /// Where an instruction stands, as far as is known, and which inputs one or two of its columns belong to:
  /// `layer "conv1" (x4), input "0:2,3"`.
  std::string place(std::size_t index, const std::vector<Index>& columns = {}) const;

 private:
  friend class Builder;
  Program() : output_{ReadoutId(0, 0), {}, {}} {}

  std::uint32_t serial_ = 0;
  std::vector<InputWeight> input_weights_;
  std::vector<Weight> weights_;
  std::vector<Bias> biases_;
  std::vector<Readout> readouts_;
  std::vector<Node> nodes_;
  Output output_;
};

/// The base widths n at which every width is an integer are the multiples of this one. Throws ProgramError if
/// it is no 64-bit integer.
std::int64_t width_unit(const Program& program);

/// Combines lambdas into one visitor for std::visit.
template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace nngpcheck::netsor
