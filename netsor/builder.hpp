// Writes programs, one instruction at a time, and rejects what is not one.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::netsor {

/// The largest program. Real ones have thousands; a mistyped depth would fill the memory.
inline constexpr std::size_t most_instructions = 1'000'000;

/// Every function checks its arguments and throws ProgramError with the instruction, the problem and the
/// remedy: values of another program, widths or numbers of columns that do not fit, negative variances, data
/// that are not finite, more than most_instructions. A deterministic instruction on identical operands is
/// recorded once and gives the same id again; random objects are never merged. There is no product with a
/// weight's transpose: the theorem of "Tensor Programs I" does not cover it.
class Builder {
 public:
  Builder();
  Builder(const Builder&) = delete;  // two builders with one serial number could not tell their values apart
  Builder& operator=(const Builder&) = delete;

  // Random objects. Names are mandatory and unique: they key the randomness.
  InputWeightId input_weight(InputWeight weight);
  WeightId weight(Weight weight);
  BiasId bias(Bias bias);
  ReadoutId readout(Readout readout);

  /// U·data; data is d×m, one column per input.
  BundleId input(InputWeightId weight, Eigen::MatrixXd data);
  /// The one column b; add() broadcasts it.
  BundleId column(BiasId bias);
  /// The one constant column 1.
  BundleId ones(Width width = {});
  /// W·X.
  BundleId matmul(WeightId weight, BundleId bundle);
  /// X·matrix, matrix columns(X)×m. Zeros stored in the matrix are dropped; the identity gives X itself.
  BundleId mix(BundleId bundle, SparseMatrix matrix);
  /// X·T.
  BundleId mix(BundleId bundle, TableId table);
  /// The columns of X with these numbers, in this order: a mix.
  BundleId select(BundleId bundle, const std::vector<Index>& columns);
  /// Σ c_k X_k. Equal bundles are collected: add({{1, x}, {1, x}}) is 2x.
  BundleId add(std::vector<Add::Term> terms);
  BundleId add(BundleId left, BundleId right) { return add({{1, left}, {1, right}}); }
  /// Column j of X times factors(0, j).
  BundleId scale(BundleId bundle, TableId factors);
  /// φ(X); the identity gives X itself.
  BundleId map(const Activation& activation, BundleId bundle);
  /// X ⊙ Y; X ⊙ X is recorded as map(square, X).
  BundleId mul(BundleId left, BundleId right);
  /// max(X, Y).
  BundleId max(BundleId left, BundleId right);
  /// φ(X₁, …, X_k), k ≥ 2. Different functions of one program have different names.
  BundleId nonlin(const Function& function, std::vector<BundleId> bundles);
  /// Column j is standardized within the columns of equal group[j]. Groups are any integers; groups of one
  /// column need epsilon > 0.
  BundleId standardize(BundleId bundle, std::vector<int> group, double epsilon = 0);

  /// A constant table.
  TableId constant(Eigen::MatrixXd matrix);
  /// XᵀY/n.
  TableId gram(BundleId left, BundleId right);
  /// 1ᵀX/n.
  TableId mean(BundleId bundle);
  /// A continuous function of tables.
  TableId apply(TableFunction function, std::vector<TableId> arguments);

  /// An instruction whose operands and random objects are of this builder, checked like any other; the number
  /// of what stands for it. So programs are written anew.
  std::uint32_t append(const Operation& operation);

  /// The output y = vᵀX/√n; labels default to "0", "1", … Call exactly once.
  void output(ReadoutId readout, std::vector<BundleId> blocks, std::vector<std::string> labels = {});
  void output(ReadoutId readout, BundleId bundle, std::vector<std::string> labels = {}) {
    output(readout, std::vector<BundleId>{bundle}, std::move(labels));
  }

  /// Where the instructions recorded from here on come from; one that was recorded before keeps its own.
  void set_origin(std::shared_ptr<const Origin> origin) { origin_ = std::move(origin); }

  /// The serial number that the ids of its program carry.
  std::uint32_t serial() const { return program_.serial_; }

  /// The number of columns and the width of a bundle made here.
  const BundleType& type(BundleId id) const;
  const TableType& type(TableId id) const;

  /// The program. Throws ProgramError if it has no output.
  Program build() &&;

 private:
  template <class Kind>
  void own(Id<Kind> id, const char* instruction) const;
  void claim_name(const std::string& name, const char* what);
  void check_variance(double variance, const std::string& what) const;
  std::uint32_t record(Operation operation, Type type);
  BundleId record_bundle(Operation operation, BundleType type);
  TableId record_table(Operation operation, TableType type);
  BundleType pointwise(const char* instruction, const std::vector<BundleId>& bundles) const;
  TableType table_type(const TableFunction& function, const std::vector<TableId>& arguments) const;
  std::string text(BundleId id) const;
  std::string text(TableId id) const;

  Program program_;
  bool has_output_ = false;
  std::shared_ptr<const Origin> origin_;
  std::set<std::string> names_;
  std::map<std::string, Activation> activations_;                 // by name
  std::map<std::string, Function> functions_;                     // by name
  std::unordered_multimap<std::size_t, std::uint32_t> recorded_;  // hash of operation -> instruction
};

}  // namespace nngpcheck::netsor
