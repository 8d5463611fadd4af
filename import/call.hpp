// Private to import/: one operator's call at the three widths, and the table of operators.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/import/algebra.hpp"

namespace nngpcheck::importer {

/// The results of calls so far, by name; a call may have several.
using Results = std::map<std::string, std::vector<Tensor>>;

/// Arguments by the name that the operator's schema gives them. Numbers and sizes may depend on the width.
/// Throws Refusal for an argument that is not what it must be.
class Call {
 public:
  Call(Algebra& algebra, const Results& results, const std::array<const GraphNode*, width_count>& nodes)
      : algebra_(algebra), results_(results), nodes_(nodes) {}

  Algebra& algebra() const { return algebra_; }
  Writer& writer() const { return algebra_.writer(); }
  const std::string& name() const { return nodes_[0]->name; }
  const std::string& op() const { return nodes_[0]->op; }

  bool given(const std::string& name) const;
  const Tensor& tensor(const std::string& name) const;
  /// A tensor, or a number as one.
  Tensor tensor_or_number(const std::string& name) const;
  std::optional<Tensor> optional_tensor(const std::string& name) const;
  std::vector<Tensor> tensors(const std::string& name) const;
  /// All results of the call that the argument names.
  const std::vector<Tensor>& all(const std::string& name) const;
  Values number(const std::string& name) const;
  /// A number that may not depend on the width.
  double fixed(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  std::optional<std::int64_t> optional_integer(const std::string& name) const;
  bool flag(const std::string& name) const;
  std::string text(const std::string& name) const;
  Size size(const std::string& name) const;
  std::vector<Size> sizes(const std::string& name) const;
  std::vector<std::int64_t> integers(const std::string& name) const;
  /// None if they are not given.
  std::vector<double> numbers(const std::string& name) const;
  /// The axes of a tensor that an argument names; all if it names none.
  std::vector<std::size_t> axes(const std::string& name, const Tensor& of) const;
  std::vector<std::optional<Tensor>> optional_tensors(const std::string& name) const;
  /// What the graph says that the result's shape is.
  std::vector<Size> result_sizes(std::size_t result = 0) const;

 private:
  const nlohmann::json& argument(const std::string& name, std::size_t graph = 0) const;
  [[noreturn]] void refuse(const std::string& name, const std::string& expected) const;
  const Tensor& tensor(const nlohmann::json& json, const std::string& name) const;
  double number(const nlohmann::json& json, const std::string& name, std::size_t graph = 0) const;

  Algebra& algebra_;
  const Results& results_;
  std::array<const GraphNode*, width_count> nodes_;
};

using Operator = std::function<std::vector<Tensor>(const Call&)>;
using Operators = std::map<std::string, Operator>;

/// Operators by their names without "aten." and ".default": "linear", "add.Tensor". By parts.
void add_axes_operators(Operators& operators);
void add_function_operators(Operators& operators);
void add_expression_operators(Operators& operators);
void add_composed_operators(Operators& operators);
void add_layer_operators(Operators& operators);
void add_recurrent_operators(Operators& operators);
void add_constant_operators(Operators& operators);
void add_einsum_operators(Operators& operators);
void add_index_operators(Operators& operators);
void add_order_operators(Operators& operators);
void add_image_operators(Operators& operators);

/// The operator of a node's name; null if it is not known.
const Operator* find_operator(const std::string& op);

}  // namespace nngpcheck::importer
