// Coordinatewise operators that are expressions, of one argument or several.
#include <span>

#include "nngpcheck/import/call.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::importer {

namespace {

using Tensors = std::vector<Tensor>;
using netsor::Expression;
using support::shortest;

/// An expression of x, y, … of operands: tensors, or numbers.
Tensors expressed(const Call& call, const std::string& name, const std::string& text,
                  const std::vector<Tensor>& operands) {
  static const std::vector<std::string> variables = {"x", "y", "z"};
  const Expression f = Expression::parse(
      text, {variables.begin(), variables.begin() + static_cast<std::ptrdiff_t>(operands.size())});
  return {call.algebra().function(netsor::Function(name, f), operands)};
}

/// An expression of its arguments of these names.
Operator expression_of(const std::string& name, const std::string& text,
                       const std::vector<std::string>& arguments) {
  return [=](const Call& call) {
    std::vector<Tensor> operands;
    for (const std::string& argument : arguments) operands.push_back(call.tensor_or_number(argument));
    return expressed(call, name, text, operands);
  };
}

Tensors times_value(const Call& call, const std::string& name, const std::string& product) {
  const std::string value = call.given("value") ? shortest(call.fixed("value")) : "1";
  return expressed(call, name + "_" + value, "x + " + value + "*" + product,
                   {call.tensor("self"), call.tensor("tensor1"), call.tensor("tensor2")});
}

/// The product along a finite axis.
Tensors product(const Call& call) {
  Algebra& a = call.algebra();
  const Tensor& x = call.tensor("self");
  const std::int64_t axis = call.integer("dim");
  const Axis& along = x.axes[Algebra::axis_number(x, axis)];
  if (!is_finite(along))
    throw Refusal{"outside", "product_over_width", "a product over the width has no limit"};
  Tensor result = a.take(x, axis, {0});
  for (std::int64_t k = 1; k < slots(along); ++k) result = a.multiply(result, a.take(x, axis, {k}));
  return {call.given("keepdim") && call.flag("keepdim") ? result : a.squeeze(result, axis)};
}

}  // namespace

void add_expression_operators(Operators& ops) {
  for (const auto& [name, text] :
       {std::pair("exp2", "2^x"), std::pair("erfc", "erfc(x)"), std::pair("round", "rint(x)"),
        std::pair("sgn", "sign(x)"), std::pair("frac", "x - trunc(x)"), std::pair("trunc", "trunc(x)"),
        std::pair("log10", "log10(x)"), std::pair("special_ndtr", "erfc(-x/sqrt(2))/2"),
        std::pair("sinc", "x == 0 ? 1 : sin(pi*x)/(pi*x)")})
    ops[name] = expression_of(name, text, {"self"});
  ops["special_expit"] = ops["sigmoid"];
  ops["pow.Scalar"] = ops["pow.Tensor_Tensor"] = expression_of("pow", "x^y", {"self", "exponent"});
  ops["logit"] = expression_of("logit", "log(x/(1 - x))", {"self"});
  ops["xlogy.Tensor"] = ops["xlogy.Scalar_Self"] = ops["xlogy.Scalar_Other"] =
      expression_of("xlogy", "x == 0 ? 0 : x*log(y)", {"self", "other"});
  ops["div.Tensor_mode"] = ops["div.Scalar_mode"] = [](const Call& call) {
    const std::string mode = call.text("rounding_mode");
    const char* name = mode == "floor"   ? "aten.floor_divide"
                       : mode == "trunc" ? "aten.trunc_divide"
                                         : "aten.div.Tensor";
    return (*find_operator(name))(call);
  };
  ops["trunc_divide"] = expression_of("trunc_divide", "trunc(x/y)", {"self", "other"});
  ops["atan2"] = expression_of("atan2", "atan2(x, y)", {"self", "other"});
  ops["hypot"] = expression_of("hypot", "sqrt(x^2 + y^2)", {"self", "other"});
  ops["logaddexp"] = expression_of("logaddexp", "max(x, y) + log1p(exp(-abs(x - y)))", {"self", "other"});
  ops["remainder.Scalar"] = ops["remainder.Tensor"] =
      expression_of("remainder", "x - y*floor(x/y)", {"self", "other"});
  ops["fmod.Scalar"] = ops["fmod.Tensor"] = expression_of("fmod", "x - y*trunc(x/y)", {"self", "other"});
  ops["floor_divide"] = expression_of("floor_divide", "floor(x/y)", {"self", "other"});
  ops["lerp.Scalar"] = ops["lerp.Tensor"] = [](const Call& call) -> Tensors {
    Algebra& a = call.algebra();
    const Tensor &x = call.tensor("self"), &end = call.tensor("end");
    return {a.add(x, a.multiply(call.tensor_or_number("weight"), a.add(end, x, constant_values(-1))))};
  };
  ops["addcmul"] = [](const Call& call) { return times_value(call, "addcmul", "y*z"); };
  ops["addcdiv"] = [](const Call& call) { return times_value(call, "addcdiv", "y/z"); };
  ops["prod.dim_int"] = product;
}

}  // namespace nngpcheck::importer
