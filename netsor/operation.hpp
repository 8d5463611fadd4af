// The instructions of the language: NETSOR and NETSOR⁺ of "Tensor Programs I" (arXiv 1910.12478), in matrix
// form. One instruction acts on a bundle X ∈ R^{n×m}: m columns, indexed by the finite things (inputs,
// tokens, positions), of width n, which tends to infinity. A Table holds scalars that converge.
#pragma once

#include <Eigen/Core>
#include <Eigen/SparseCore>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "nngpcheck/netsor/activation.hpp"
#include "nngpcheck/netsor/ids.hpp"
#include "nngpcheck/netsor/width.hpp"

namespace nngpcheck::netsor {

using Index = Eigen::Index;
using SparseMatrix = Eigen::SparseMatrix<double>;
/// Constants are shared, never copied, and compare by value.
using SharedMatrix = std::shared_ptr<const Eigen::MatrixXd>;
using SharedSparse = std::shared_ptr<const SparseMatrix>;

// ---- Random objects: iid Gaussian entries; using one twice ties it. ----

/// U ∈ R^{width × inputs}, entries N(0, variance/inputs).
struct InputWeight {
  std::string name = {};
  Width width = {};
  Index inputs = 0;
  double variance = 1;
};

/// W ∈ R^{rows × columns}, entries N(0, variance/columns).
struct Weight {
  std::string name = {};
  Width rows = {};
  Width columns = {};
  double variance = 1;
};

/// b ∈ R^{width}, entries N(mean, variance).
struct Bias {
  std::string name = {};
  Width width = {};
  double variance = 1;
  double mean = 0;
};

/// v ∈ R^{Σ widths of the output blocks}, entries N(0, variance), independent of everything else.
struct Readout {
  std::string name = {};
  double variance = 1;
};

// ---- Instructions that make a bundle. ----

/// U·D, D ∈ R^{d×m} the data.
struct Input {
  InputWeightId weight;
  SharedMatrix data;
};

/// The column b.
struct BiasColumn {
  BiasId bias;
};

/// The constant column 1.
struct Ones {
  Width width;
};

/// W·X.
struct MatMul {
  WeightId weight;
  BundleId argument;
};

/// X·M, M constant and sparse.
struct Mix {
  BundleId argument;
  SharedSparse matrix;
};

/// X·T.
struct TableMix {
  BundleId argument;
  TableId table;
};

/// Σ_k c_k X_k; a term of one column is broadcast.
struct Add {
  struct Term {
    double coefficient;
    BundleId bundle;
    friend bool operator==(const Term&, const Term&) = default;
  };
  std::vector<Term> terms;
};

/// Column j times t_j, t ∈ R^{1×m}.
struct Scale {
  BundleId argument;
  TableId factors;
};

/// φ(X), coordinatewise.
struct Map {
  Activation activation;
  BundleId argument;
};

/// X ⊙ Y; one column is broadcast.
struct Mul {
  BundleId left;
  BundleId right;
};

/// max(X, Y), coordinatewise; one column is broadcast.
struct Max {
  BundleId left;
  BundleId right;
};

/// A function φ: R^k → R as a value. Expressions are the same if their trees are; any other function only as
/// its copies.
class Function {
 public:
  /// φ of k numbers. Several threads may call it at once.
  using Callable = std::function<double(std::span<const double>)>;

  /// The name is for programs that are printed. Throws ProgramError if it is empty, the callable is, or k
  /// < 1.
  Function(std::string name, std::size_t arguments, Callable callable);
  /// That of the expression's variables.
  Function(std::string name, const Expression& expression);

  const std::string& name() const { return data_->name; }
  /// k.
  std::size_t arguments() const { return data_->arguments; }
  /// Precondition: k numbers.
  double operator()(std::span<const double> x) const { return data_->callable(x); }
  /// None of a C++ function.
  const std::optional<Expression>& expression() const { return data_->expression; }

  std::size_t hash() const;
  friend bool operator==(const Function& left, const Function& right);

 private:
  struct Data {
    std::string name;
    std::size_t arguments;
    Callable callable;
    std::optional<Expression> expression;
  };

  explicit Function(Data data);

  std::shared_ptr<const Data> data_;
};

/// φ(X₁, …, X_k), coordinatewise; one column is broadcast.
struct Nonlin {
  Function function;
  std::vector<BundleId> arguments;
};

/// Batch normalisation without its affine part: per coordinate and group of columns, subtract the group's
/// mean and divide by √(its biased variance + ε). `group`[j] in 0..groups-1 is the group of column j.
struct Standardize {
  BundleId argument;
  std::vector<int> group;
  double epsilon = 0;
};

// ---- Instructions that make a table. ----

/// The constant M.
struct Constant {
  SharedMatrix matrix;
};

/// XᵀY/n → E[XᵀY].
struct Gram {
  BundleId left;
  BundleId right;
};

/// 1ᵀX/n → E[X], one row.
struct Mean {
  BundleId argument;
};

/// Softmax over the rows (the keys) of each column (a query). Where `mask` is given, entries with mask 0 get
/// weight 0; every column keeps at least one.
struct SoftmaxKeys {
  SharedMatrix mask;  // null: none
};
/// 1/√(t + ε), entrywise.
struct Rsqrt {
  double epsilon = 0;
};
/// Tᵀ.
struct Transpose {};
/// The diagonal of a square table, as one row.
struct Diagonal {};
/// Σ_k c_k T_k.
struct Sum {
  std::vector<double> coefficients;
};
/// T₁ ⊙ T₂ ⊙ …, entrywise.
struct Product {};

/// A continuous function of tables.
using TableFunction = std::variant<SoftmaxKeys, Rsqrt, Transpose, Diagonal, Sum, Product>;

struct Apply {
  TableFunction function;
  std::vector<TableId> arguments;
};

using Operation = std::variant<Input, BiasColumn, Ones, MatMul, Mix, TableMix, Add, Scale, Map, Mul, Max,
                               Nonlin, Standardize, Constant, Gram, Mean, Apply>;

/// Same instruction on identical operands; constants compare by value.
bool same(const Operation& left, const Operation& right);

/// Equal for operations that are the same.
std::size_t hash(const Operation& operation);

}  // namespace nngpcheck::netsor
