// Einstein sums, and products that are such.
#include <algorithm>

#include "nngpcheck/import/call.hpp"

namespace nngpcheck::importer {

namespace {

using Tensors = std::vector<Tensor>;

/// An equation such as "bqn,bkn->bqk": its operands' labels and the result's. Dots stand for as many axes as
/// the operand has more than labels, aligned at their end.
struct Equation {
  std::vector<std::string> operands;
  std::string result;
};

Equation equation_of(const Call& call, const Tensors& xs) {
  std::string text = call.text("equation");
  std::erase(text, ' ');
  const std::size_t arrow = text.find("->");
  std::vector<std::string> parts(1);
  for (const char c : text.substr(0, arrow)) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (parts.size() != xs.size())
    throw Refusal{"reject", "einsum", "the einsum \"" + text + "\" is not one of as many tensors"};
  std::size_t most = 0;  // axes that dots stand for
  const auto dots_in = [&](std::size_t k) {
    const std::size_t labels = parts[k].size() - 3;
    return xs[k].axes.size() < labels ? 0 : xs[k].axes.size() - labels;
  };
  for (std::size_t k = 0; k < parts.size(); ++k)
    if (parts[k].find("...") != std::string::npos) most = std::max(most, dots_in(k));
  if (most > 9) throw Refusal{"reject", "einsum", "the einsum \"" + text + "\" has too many axes"};
  const std::string digits = std::string("0123456789").substr(0, most);
  Equation equation;
  std::string labels;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const std::size_t at = parts[k].find("...");
    if (at != std::string::npos) parts[k].replace(at, 3, digits.substr(most - dots_in(k)));
    equation.operands.push_back(parts[k]);
    labels += parts[k];
  }
  if (arrow ==
      std::string::npos) {  // dots, and then every label that stands once, in the order of the alphabet
    equation.result = digits;
    std::string sorted = labels;
    std::sort(sorted.begin(), sorted.end());
    for (const char c : sorted)
      if (digits.find(c) == std::string::npos && std::count(labels.begin(), labels.end(), c) == 1)
        equation.result += c;
    return equation;
  }
  equation.result = text.substr(arrow + 2);
  if (const std::size_t at = equation.result.find("..."); at != std::string::npos)
    equation.result.replace(at, 3, digits);
  for (const char c : equation.result)
    if (labels.find(c) == std::string::npos)
      throw Refusal{"reject", "einsum", "the einsum \"" + text + "\" has a label in its result alone"};
  return equation;
}

/// From the left, two at a time; labels that are in no later operand are summed over at once.
Tensors einsum(const Call& call) {
  const Tensors xs = call.tensors("tensors");
  const Equation equation = equation_of(call, xs);
  if (xs.empty()) throw Refusal{"reject", "einsum", "an einsum of nothing"};
  std::string left = equation.operands[0];
  Tensor product = xs[0];
  if (xs.size() == 1)
    return {call.algebra().einsum(left, "", equation.result, product, Algebra::scalar(constant_values(1)))};
  for (std::size_t k = 1; k < xs.size(); ++k) {
    std::string later = equation.result, kept;
    for (std::size_t i = k + 1; i < xs.size(); ++i) later += equation.operands[i];
    for (const char c : left + equation.operands[k])
      if (kept.find(c) == std::string::npos && later.find(c) != std::string::npos) kept += c;
    if (k + 1 == xs.size()) kept = equation.result;
    product = call.algebra().einsum(left, equation.operands[k], kept, product, xs[k]);
    left = kept;
  }
  return {product};
}

/// Labels of x's axes from `first` on.
std::string labels_from(char first, const Tensor& x) {
  std::string result;
  for (std::size_t k = 0; k < x.axes.size(); ++k) result += static_cast<char>(first + static_cast<char>(k));
  return result;
}

/// Summed over these axes of x and of y, in order.
Tensor summed_over(const Call& call, const Tensor& x, const Tensor& y, const std::vector<std::size_t>& of_x,
                   const std::vector<std::size_t>& of_y) {
  if (of_x.size() != of_y.size() || x.axes.size() > 20 || y.axes.size() > 20)
    throw Refusal{"reject", "shape", "a product over other numbers of axes"};
  const std::string left = labels_from('A', x);
  std::string right = labels_from('a', y), result;
  for (std::size_t k = 0; k < of_x.size(); ++k) right.at(of_y[k]) = left.at(of_x[k]);
  for (const std::string& labels : {left, right})
    for (const char c : labels)
      if (left.find(c) == std::string::npos || right.find(c) == std::string::npos) result += c;
  return call.algebra().einsum(left, right, result, x, y);
}

Tensors tensordot(const Call& call) {
  const Tensor &x = call.tensor("self"), &y = call.tensor("other");
  std::vector<std::size_t> of_x, of_y;
  for (const std::int64_t k : call.integers("dims_self")) of_x.push_back(Algebra::axis_number(x, k));
  for (const std::int64_t k : call.integers("dims_other")) of_y.push_back(Algebra::axis_number(y, k));
  return {summed_over(call, x, y, of_x, of_y)};
}

/// Over the last axis of both.
Tensors inner(const Call& call) {
  const Tensor &x = call.tensor("self"), &y = call.tensor("other");
  if (x.axes.empty() || y.axes.empty()) return {call.algebra().multiply(x, y)};
  return {summed_over(call, x, y, {x.axes.size() - 1}, {y.axes.size() - 1})};
}

Tensors vecdot(const Call& call) {
  Algebra& a = call.algebra();
  const Tensor& x = call.tensor(call.given("x") ? "x" : "self");
  const std::int64_t axis = call.optional_integer("dim").value_or(-1);
  const std::string labels = labels_from('A', x);
  std::string rest = labels;
  rest.erase(Algebra::axis_number(x, axis), 1);
  return {a.einsum(labels, labels, rest, x, call.tensor(call.given("y") ? "y" : "other"))};
}

}  // namespace

void add_einsum_operators(Operators& ops) {
  ops["einsum"] = einsum;
  ops["tensordot"] = tensordot;
  ops["inner"] = inner;
  ops["linalg_vecdot"] = vecdot;
}

}  // namespace nngpcheck::importer
