// Coordinatewise operators, and sums over axes.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "nngpcheck/import/call.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::importer {

namespace {

using Tensors = std::vector<Tensor>;
using netsor::Activation;
using support::shortest;

const char* argument_name(const Call& call) { return call.given("self") ? "self" : "input"; }

Tensors mapped(const Call& call, const Activation& activation) {
  return {call.algebra().map(activation, call.tensor(argument_name(call)))};
}

Tensors expressed(const Call& call, const std::string& text) {
  return mapped(call, Activation::from_expression(text));
}

double option(const Call& call, const char* name, double otherwise) {
  return call.given(name) ? call.fixed(name) : otherwise;
}

Tensors elu(const Call& call, double alpha, double scale, double input_scale) {
  if (alpha == 1 && scale == 1 && input_scale == 1) return mapped(call, Activation::named("elu"));
  return expressed(call, shortest(scale) + "*where(x>0, x, " + shortest(alpha) + "*expm1(" +
                             shortest(input_scale) + "*x))");
}

Tensors softplus(const Call& call) {
  const double beta = option(call, "beta", 1), threshold = option(call, "threshold", 20);
  // PyTorch's is x itself beyond the threshold, where log(1 + e^x) is larger by 2e-9: rounding, not meaning.
  if (beta == 1 && threshold == 20) return mapped(call, Activation::named("softplus"));
  const std::string b = shortest(beta);
  return expressed(call,
                   "where(" + b + "*x>" + shortest(threshold) + ", x, softplus(" + b + "*x)/" + b + ")");
}

Tensor minimum(Algebra& a, const Tensor& x, const Tensor& y) {
  return a.scaled(a.maximum(a.scaled(x, -1), a.scaled(y, -1)), -1);
}

Tensors clamp(const Call& call) {
  Tensor x = call.tensor("self");
  // Numbers that converge may grow with n, and then the bound is small beside them.
  const bool converge = std::any_of(x.cells.begin(), x.cells.end(), [](const Cell& c) {
    return std::holds_alternative<std::shared_ptr<const Scalar>>(c.value);
  });
  if (converge) {
    Algebra& a = call.algebra();
    if (call.given("min")) x = a.maximum(x, Algebra::scalar(call.number("min")));
    if (call.given("max")) x = minimum(a, x, Algebra::scalar(call.number("max")));
    return {x};
  }
  std::string text = "x";
  if (call.given("min")) text = "max(" + text + ", " + shortest(call.fixed("min")) + ")";
  if (call.given("max")) text = "min(" + text + ", " + shortest(call.fixed("max")) + ")";
  return text == "x" ? Tensors{x} : expressed(call, text);
}

Tensors clamp_by_tensors(const Call& call) {
  Tensor x = call.tensor("self");
  if (call.given("min")) x = call.algebra().maximum(x, call.tensor("min"));
  if (call.given("max")) x = minimum(call.algebra(), x, call.tensor("max"));
  return {x};
}

Tensors power(const Call& call) {
  const double p = call.fixed("exponent");
  Algebra& a = call.algebra();
  const Tensor& x = call.tensor("self");
  if (p == 1) return {x};
  if (p == 2) return {a.multiply(x, x)};
  if (p == -0.5) return {a.rsqrt(x, 0)};
  if (p == 0.5) return {a.sqrt(x)};
  if (p == -1) return {a.divide(Algebra::scalar(constant_values(1)), x)};
  if (p == std::floor(p) && p > 0 && p <= 20)
    return {a.map("power_" + std::to_string(static_cast<int>(p)), x)};
  // Of numbers in its domain.
  return {
      a.function(netsor::Function("pow", netsor::Expression::parse("x^(" + shortest(p) + ")", {"x"})), {x})};
}

Tensors divided(const Call& call) {
  return {call.algebra().divide(call.tensor_or_number("self"), call.tensor_or_number("other"))};
}

Tensors comparison(const Call& call, bool (*holds)(double, double)) {
  return {
      call.algebra().numeric([holds](const std::vector<double>& v) { return holds(v[0], v[1]) ? 1.0 : 0.0; },
                             {call.tensor_or_number("self"), call.tensor_or_number("other")})};
}

Tensors masked_fill(const Call& call) {
  return {call.algebra().where(call.tensor("mask"), call.tensor_or_number("value"), call.tensor("self"))};
}

Tensors mean(const Call& call) {
  const Tensor& x = call.tensor("self");
  return {call.algebra().mean(x, call.axes("dim", x), call.flag("keepdim"))};
}

Tensors sum(const Call& call) {
  const Tensor& x = call.tensor("self");
  return {call.algebra().sum(x, call.axes("dim", x), call.flag("keepdim"))};
}

Tensors variance(const Call& call, bool root) {
  Algebra& a = call.algebra();
  const Tensor& x = call.tensor("self");
  const auto axes = call.axes("dim", x);
  const Tensor c = a.add(x, a.mean(x, axes, true), constant_values(-1));
  Tensor squares = a.sum(a.multiply(c, c), axes, call.flag("keepdim"));
  const double correction =
      option(call, "correction", call.given("unbiased") && !call.flag("unbiased") ? 0 : 1);
  squares = a.scaled(squares, constant_values(1) / (a.count(x, axes) + constant_values(-correction)));
  return {root ? a.sqrt(squares) : squares};
}

/// The largest along finite axes.
Tensor largest(const Call& call, Tensor x, std::vector<std::size_t> axes, bool keep, double sign = 1) {
  Algebra& a = call.algebra();
  x = a.scaled(x, sign);
  std::sort(axes.rbegin(), axes.rend());
  for (const std::size_t k : axes) {
    const std::int64_t length = slots(x.axes[k]);
    if (!is_finite(x.axes[k]))
      throw Refusal{"outside", "max_over_width", "a maximum over the width has no limit"};
    Tensor best = a.take(x, static_cast<std::int64_t>(k), {0});
    for (std::int64_t p = 1; p < length; ++p)
      best = a.maximum(best, a.take(x, static_cast<std::int64_t>(k), {p}));
    x = keep ? best : a.squeeze(best, static_cast<std::int64_t>(k));
  }
  return a.scaled(x, sign);
}

Tensors norm(const Call& call) {
  Algebra& a = call.algebra();
  const Tensor& x = call.tensor("self");
  const double order = option(call, "ord", 2);
  const auto axes = call.axes("dim", x);
  if (order == 1) return {a.sum(a.map("abs", x), axes, call.flag("keepdim"))};
  if (order == std::numeric_limits<double>::infinity())
    return {largest(call, a.map("abs", x), axes, call.flag("keepdim"))};
  if (order != 2)
    throw Refusal{"reject", "argument:" + call.name(), "a norm of another order than 1, 2 and infinity"};
  const Tensor squares = a.sum(a.multiply(x, x), call.axes("dim", x), call.flag("keepdim"));
  return {a.sqrt(squares)};
}

Tensors prelu(const Call& call) {
  Algebra& a = call.algebra();
  const Tensor& x = call.tensor("self");
  Tensor weight = call.tensor("weight");
  if (weight.cells.size() == 1 && weight.cells[0].is_number())
    return {a.map("leaky_relu_" + shortest(weight.cells[0].factor[0]), x)};
  for (std::size_t k = 2; k < x.axes.size(); ++k) weight = a.unsqueeze(weight, -1);
  return {a.add(a.map("relu", x), a.multiply(weight, a.scaled(a.map("relu", a.scaled(x, -1)), -1)))};
}

Tensors glu(const Call& call) {
  Algebra& a = call.algebra();
  const Tensor& x = call.tensor("self");
  const std::int64_t axis = call.given("dim") ? call.integer("dim") : -1;
  Size half = a.widths().size(x.axes[Algebra::axis_number(x, axis)]);
  for (std::int64_t& s : half) s /= 2;
  const Tensors parts = a.split(x, axis, {half, half});
  return {a.multiply(parts[0], a.map("sigmoid", parts[1]))};
}

Tensor matmul(const Call& call, const Tensor& x, const Tensor& y) {
  const std::size_t batch_x = x.axes.size() > 2 ? x.axes.size() - 2 : 0,
                    batch_y = y.axes.size() > 2 ? y.axes.size() - 2 : 0;
  const std::size_t batch = std::max(batch_x, batch_y);
  std::string labels;
  for (std::size_t k = 0; k < batch; ++k) labels += static_cast<char>('A' + k);
  const std::string left = labels.substr(batch - batch_x) + (x.axes.size() > 1 ? "mk" : "k");
  const std::string right = labels.substr(batch - batch_y) + (y.axes.size() > 1 ? "kn" : "k");
  return call.algebra().einsum(
      left, right, labels + (x.axes.size() > 1 ? "m" : "") + (y.axes.size() > 1 ? "n" : ""), x, y);
}

Tensors addmm(const Call& call, const char* first, const char* second) {
  Algebra& a = call.algebra();
  const Tensor product = matmul(call, call.tensor(first), call.tensor(second));
  return {a.add(a.scaled(product, call.given("alpha") ? call.number("alpha") : constant_values(1)),
                call.tensor("self"), call.given("beta") ? call.number("beta") : constant_values(1))};
}

void add_comparisons(Operators& ops) {
  const std::pair<const char*, bool (*)(double, double)> comparisons[] = {
      {"eq", [](double a, double b) { return a == b; }},
      {"ne", [](double a, double b) { return a != b; }},
      {"lt", [](double a, double b) { return a < b; }},
      {"le", [](double a, double b) { return a <= b; }},
      {"gt", [](double a, double b) { return a > b; }},
      {"ge", [](double a, double b) { return a >= b; }},
      {"logical_and", [](double a, double b) { return a != 0 && b != 0; }},
      {"logical_or", [](double a, double b) { return a != 0 || b != 0; }},
      {"logical_xor", [](double a, double b) { return (a != 0) != (b != 0); }},
      {"__and__", [](double a, double b) { return a != 0 && b != 0; }},
      {"__or__", [](double a, double b) { return a != 0 || b != 0; }},
      {"bitwise_and", [](double a, double b) { return a != 0 && b != 0; }},
      {"bitwise_or", [](double a, double b) { return a != 0 || b != 0; }}};
  for (const auto& [name, holds] : comparisons) {
    for (const char* suffix : {"", ".Scalar", ".Tensor"})
      ops[std::string(name) + suffix] = [holds = holds](const Call& c) { return comparison(c, holds); };
  }
  for (const char* name : {"logical_not", "bitwise_not"}) {
    ops[name] = [](const Call& c) -> Tensors {
      return {c.algebra().numeric([](const std::vector<double>& v) { return v[0] == 0 ? 1.0 : 0.0; },
                                  {c.tensor("self")})};
    };
  }
}

void add_maps(Operators& ops) {
  for (const char* name : {"relu", "tanh", "sigmoid", "silu", "sin", "cos", "exp", "erf", "abs", "relu6",
                           "selu", "mish", "hardswish", "hardsigmoid", "softsign", "tanhshrink", "sign"})
    ops[name] = [name](const Call& c) { return mapped(c, Activation::named(name)); };
  for (const char* name : {"expm1", "tan", "atan", "sinh", "cosh", "asinh", "floor", "ceil"})
    ops[name] = [name](const Call& c) { return expressed(c, std::string(name) + "(x)"); };
  for (const char* name : {"log", "log1p", "log2"})
    ops[name] = [name](const Call& c) -> Tensors { return {c.algebra().function(name, c.tensor("self"))}; };
  ops["sqrt"] = [](const Call& c) -> Tensors { return {c.algebra().sqrt(c.tensor("self"))}; };
  ops["log_sigmoid"] = [](const Call& c) { return mapped(c, Activation::named("logsigmoid")); };
  ops["square"] = [](const Call& c) -> Tensors {
    return {c.algebra().multiply(c.tensor("self"), c.tensor("self"))};
  };
  ops["neg"] = [](const Call& c) -> Tensors { return {c.algebra().scaled(c.tensor("self"), -1)}; };
  ops["gelu"] = [](const Call& c) {
    return mapped(c, Activation::named(c.text("approximate") == "tanh" ? "gelu_tanh" : "gelu"));
  };
  ops["leaky_relu"] = [](const Call& c) {
    return mapped(c, Activation::named("leaky_relu_" + shortest(option(c, "negative_slope", 0.01))));
  };
  ops["elu"] = [](const Call& c) {
    return elu(c, option(c, "alpha", 1), option(c, "scale", 1), option(c, "input_scale", 1));
  };
  ops["celu"] = [](const Call& c) { return elu(c, option(c, "alpha", 1), 1, 1 / option(c, "alpha", 1)); };
  ops["softplus"] = softplus;
  ops["hardtanh"] = [](const Call& c) {
    return expressed(c, "min(max(x, " + shortest(option(c, "min_val", -1)) + "), " +
                            shortest(option(c, "max_val", 1)) + ")");
  };
  ops["clamp"] = ops["clamp_min"] = ops["clamp_max"] = clamp;
  for (const char* name : {"clamp.Tensor", "clamp_min.Tensor", "clamp_max.Tensor"})
    ops[name] = clamp_by_tensors;
  ops["threshold"] = [](const Call& c) {
    return expressed(
        c, "where(x>" + shortest(c.fixed("threshold")) + ", x, " + shortest(c.fixed("value")) + ")");
  };
  ops["pow.Tensor_Scalar"] = power;
  ops["rsqrt"] = [](const Call& c) -> Tensors { return {c.algebra().rsqrt(c.tensor("self"), 0)}; };
  ops["reciprocal"] = [](const Call& c) -> Tensors {
    return {c.algebra().divide(Algebra::scalar(constant_values(1)), c.tensor("self"))};
  };
  ops["prelu"] = ops["_prelu_kernel"] = prelu;
  ops["glu"] = glu;
}

}  // namespace

void add_function_operators(Operators& ops) {
  add_maps(ops);
  add_comparisons(ops);
  const auto alpha = [](const Call& c) { return c.given("alpha") ? c.number("alpha") : constant_values(1); };
  for (const char* name : {"add.Tensor", "add.Scalar"}) {
    ops[name] = [alpha](const Call& c) -> Tensors {
      return {c.algebra().add(c.tensor_or_number("self"), c.tensor_or_number("other"), alpha(c))};
    };
  }
  for (const char* name : {"sub.Tensor", "sub.Scalar"}) {
    ops[name] = [alpha](const Call& c) -> Tensors {
      return {c.algebra().add(c.tensor_or_number("self"), c.tensor_or_number("other"),
                              alpha(c) * constant_values(-1))};
    };
  }
  for (const char* name : {"rsub.Scalar", "rsub.Tensor"}) {
    ops[name] = [alpha](const Call& c) -> Tensors {
      return {c.algebra().add(c.tensor_or_number("other"), c.tensor_or_number("self"),
                              alpha(c) * constant_values(-1))};
    };
  }
  for (const char* name : {"mul.Tensor", "mul.Scalar"}) {
    ops[name] = [](const Call& c) -> Tensors {
      return {c.algebra().multiply(c.tensor_or_number("self"), c.tensor_or_number("other"))};
    };
  }
  ops["div.Tensor"] = ops["div.Scalar"] = divided;
  ops["maximum"] = ops["max.other"] = [](const Call& c) -> Tensors {
    return {c.algebra().maximum(c.tensor("self"), c.tensor("other"))};
  };
  ops["minimum"] = ops["min.other"] = [](const Call& c) -> Tensors {
    return {minimum(c.algebra(), c.tensor("self"), c.tensor("other"))};
  };
  ops["masked_fill.Scalar"] = ops["masked_fill.Tensor"] = masked_fill;
  for (const char* name : {"where.self", "where.ScalarOther", "where.ScalarSelf", "where.Scalar"}) {
    ops[name] = [](const Call& c) -> Tensors {
      return {
          c.algebra().where(c.tensor("condition"), c.tensor_or_number("self"), c.tensor_or_number("other"))};
    };
  }
  ops["mean.dim"] = ops["mean"] = mean;
  ops["sum.dim_IntList"] = ops["sum"] = sum;
  ops["var.correction"] = ops["var.dim"] = [](const Call& c) { return variance(c, false); };
  ops["std.correction"] = ops["std.dim"] = [](const Call& c) { return variance(c, true); };
  ops["linalg_vector_norm"] = norm;
  ops["linalg_norm"] = norm;
  ops["amax"] = [](const Call& c) -> Tensors {
    return {largest(c, c.tensor("self"), c.axes("dim", c.tensor("self")), c.flag("keepdim"))};
  };
  ops["max.dim"] = ops["amax"];
  ops["amin"] = ops["min.dim"] = [](const Call& c) -> Tensors {
    return {largest(c, c.tensor("self"), c.axes("dim", c.tensor("self")), c.flag("keepdim"), -1)};
  };
  for (const char* name : {"softmax.int", "_softmax"})
    ops[name] = [](const Call& c) -> Tensors {
      return {c.algebra().softmax(c.tensor("self"), c.integer("dim"))};
    };
  for (const char* name : {"log_softmax.int", "_log_softmax"})
    ops[name] = [](const Call& c) -> Tensors {
      return {c.algebra().log_softmax(c.tensor("self"), c.integer("dim"))};
    };
  for (const char* name : {"matmul", "mm", "bmm", "mv", "dot", "vdot"}) {
    ops[name] = [](const Call& c) -> Tensors {
      const char* other = c.given("other")  ? "other"
                          : c.given("mat2") ? "mat2"
                          : c.given("vec")  ? "vec"
                                            : "tensor";
      return {matmul(c, c.tensor("self"), c.tensor(other))};
    };
  }
  ops["addmm"] = [](const Call& c) { return addmm(c, "mat1", "mat2"); };
  ops["baddbmm"] = [](const Call& c) { return addmm(c, "batch1", "batch2"); };
  ops["linear"] = [](const Call& c) -> Tensors {
    const auto bias = c.optional_tensor("bias");
    return {c.algebra().linear(c.tensor("input"), c.tensor("weight"), bias ? &*bias : nullptr)};
  };
  ops["bilinear"] = [](const Call& c) -> Tensors {
    Algebra& a = c.algebra();
    std::string batch;
    for (std::size_t k = 0; k + 1 < c.tensor("input1").axes.size(); ++k) batch += static_cast<char>('A' + k);
    const Tensor once = a.einsum(batch + "i", "oij", batch + "oj", c.tensor("input1"), c.tensor("weight"));
    const Tensor twice = a.einsum(batch + "oj", batch + "j", batch + "o", once, c.tensor("input2"));
    return {c.given("bias") ? a.add(twice, c.tensor("bias")) : twice};
  };
}

}  // namespace nngpcheck::importer
