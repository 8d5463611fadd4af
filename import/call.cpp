#include "nngpcheck/import/call.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nngpcheck::importer {

using Json = nlohmann::json;

namespace {

constexpr double farthest = 1e15;  // of an integer argument

}  // namespace

void Call::refuse(const std::string& name, const std::string& expected) const {
  throw Refusal{"reject", "argument:" + this->name(),
                "the argument \"" + name + "\" of " + op() + " is not " + expected};
}

const Json& Call::argument(const std::string& name, std::size_t graph) const {
  static const Json none;
  const Json& all = nodes_[graph]->arguments;
  const auto found = all.find(name);
  return found == all.end() ? none : *found;
}

bool Call::given(const std::string& name) const { return !argument(name).is_null(); }

const Tensor& Call::tensor(const Json& json, const std::string& name) const {
  if (!json.is_object() || !json.contains("ref")) refuse(name, "a tensor");
  const auto found = results_.find(json.at("ref").get<std::string>());
  if (found == results_.end() || found->second.empty()) refuse(name, "a tensor that was computed");
  return found->second[0];
}

const Tensor& Call::tensor(const std::string& name) const { return tensor(argument(name), name); }

const std::vector<Tensor>& Call::all(const std::string& name) const {
  tensor(name);
  return results_.at(argument(name).at("ref").get<std::string>());
}

Tensor Call::tensor_or_number(const std::string& name) const {
  const Json& json = argument(name);
  return json.is_object() && json.contains("ref") ? tensor(json, name) : Algebra::scalar(number(name));
}

std::optional<Tensor> Call::optional_tensor(const std::string& name) const {
  if (!given(name)) return {};
  return tensor(name);
}

std::vector<Tensor> Call::tensors(const std::string& name) const {
  std::vector<Tensor> result;
  for (const auto& t : optional_tensors(name)) {
    if (!t) refuse(name, "a list of tensors");
    result.push_back(*t);
  }
  return result;
}

std::vector<std::optional<Tensor>> Call::optional_tensors(const std::string& name) const {
  const Json& json = argument(name);
  if (json.is_object()) return std::vector<std::optional<Tensor>>(all(name).begin(), all(name).end());
  if (!json.is_array()) refuse(name, "a list of tensors");
  std::vector<std::optional<Tensor>> result;
  for (const Json& part : json) {
    result.emplace_back();
    if (!part.is_null()) result.back() = tensor(part, name);
  }
  return result;
}

double Call::number(const Json& json, const std::string& name, std::size_t graph) const {
  if (json.is_boolean()) return json.get<bool>() ? 1 : 0;
  if (json.is_object() && json.contains("float")) {
    const auto text = json.at("float").get<std::string>();
    if (text == "inf") return std::numeric_limits<double>::infinity();
    if (text == "-inf") return -std::numeric_limits<double>::infinity();
  }
  if (json.is_object() && json.contains("ref")) {
    const Tensor& t = tensor(json, name);
    if (t.cells.size() == 1 && t.cells[0].is_number()) return t.cells[0].factor[graph];
  }
  if (!json.is_number()) refuse(name, "a number");
  return json.get<double>();
}

Values Call::number(const std::string& name) const {
  Values result;
  for (std::size_t g = 0; g < width_count; ++g) result[g] = number(argument(name, g), name, g);
  return result;
}

double Call::fixed(const std::string& name) const {
  const Values values = number(name);
  if (values[0] != values[1] || values[1] != values[2]) refuse(name, "the same at all widths");
  return values[0];
}

std::int64_t Call::integer(const std::string& name) const {
  const double value = fixed(name);
  if (value != std::floor(value)) refuse(name, "an integer");
  return static_cast<std::int64_t>(std::min(std::max(value, -farthest), farthest));
}

std::optional<std::int64_t> Call::optional_integer(const std::string& name) const {
  if (!given(name)) return {};
  return integer(name);
}

bool Call::flag(const std::string& name) const {
  return argument(name).is_boolean() && argument(name).get<bool>();
}

std::string Call::text(const std::string& name) const {
  return argument(name).is_string() ? argument(name).get<std::string>() : "";
}

Size Call::size(const std::string& name) const {
  const Values values = number(name);
  Size result;
  for (std::size_t g = 0; g < width_count; ++g) {
    // A slice without an end ends at 2^63 - 1.
    result[g] = static_cast<std::int64_t>(std::min(std::max(values[g], -farthest), farthest));
  }
  return result;
}

std::vector<Size> Call::sizes(const std::string& name) const {
  std::vector<Size> result;
  for (std::size_t g = 0; g < width_count; ++g) {
    const Json& json = argument(name, g);
    if (!json.is_array()) refuse(name, "a list of integers");
    if (g > 0 && json.size() != result.size()) refuse(name, "of the same length at all widths");
    result.resize(json.size());
    for (std::size_t k = 0; k < json.size(); ++k) {
      const double value = number(json[k], name);
      if (!(std::abs(value) < 9e15)) refuse(name, "a list of integers");
      result[k][g] = static_cast<std::int64_t>(value);
    }
  }
  return result;
}

std::vector<std::int64_t> Call::integers(const std::string& name) const {
  if (argument(name).is_number()) return {integer(name)};
  std::vector<std::int64_t> result;
  for (const Size& size : sizes(name)) {
    if (!is_constant(size)) refuse(name, "the same at all widths");
    result.push_back(size[0]);
  }
  return result;
}

std::vector<double> Call::numbers(const std::string& name) const {
  std::vector<double> result;
  if (given(name) && argument(name).is_array())
    for (const Json& json : argument(name)) result.push_back(number(json, name));
  return result;
}

std::vector<std::size_t> Call::axes(const std::string& name, const Tensor& of) const {
  std::vector<std::size_t> result;
  if (!given(name) || (argument(name).is_array() && argument(name).empty())) {
    for (std::size_t k = 0; k < of.axes.size(); ++k) result.push_back(k);
    return result;
  }
  for (const std::int64_t axis : integers(name)) result.push_back(Algebra::axis_number(of, axis));
  return result;
}

std::vector<Size> Call::result_sizes(std::size_t result) const {
  std::vector<Size> sizes;
  for (std::size_t g = 0; g < width_count; ++g) {
    if (result >= nodes_[g]->shapes.size() || !nodes_[g]->shapes[result]) refuse("result", "there");
    const auto& shape = *nodes_[g]->shapes[result];
    sizes.resize(shape.size());
    for (std::size_t k = 0; k < shape.size(); ++k) sizes[k][g] = shape[k];
  }
  return sizes;
}

const Operator* find_operator(const std::string& op) {
  static const Operators operators = [] {
    Operators result;
    add_axes_operators(result);
    add_function_operators(result);
    add_expression_operators(result);
    add_composed_operators(result);
    add_layer_operators(result);
    add_recurrent_operators(result);
    add_constant_operators(result);
    add_einsum_operators(result);
    add_index_operators(result);
    add_order_operators(result);
    add_image_operators(result);
    return result;
  }();
  std::string name = op.starts_with("aten.") ? op.substr(5) : op;
  if (name.ends_with(".default")) name.resize(name.size() - 8);
  const auto found = operators.find(name);
  return found == operators.end() ? nullptr : &found->second;
}

}  // namespace nngpcheck::importer
