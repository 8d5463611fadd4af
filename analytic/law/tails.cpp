#include "nngpcheck/analytic/law/tails.hpp"

#include <algorithm>
#include <cmath>

#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

namespace {

/// Beyond this power of x a function is called exponential.
constexpr double largest_degree = 20;

/// Degree 2, up to the rounding of what is measured.
constexpr double tamest = 2 + 1e-6;

double log_size(const netsor::Activation& phi, double x) { return std::log(std::abs(evaluate(phi, x))); }

double degree(const netsor::Activation& phi, double side) {
  const double near = log_size(phi, side * 64), far = log_size(phi, side * 256);
  if (!(far < std::numeric_limits<double>::infinity())) return Growth::exponential;
  const double result = (far - near) / std::log(4.);
  return result > largest_degree ? Growth::exponential : std::max(0., result);  // NaN and -∞ are 0
}

// Second differences leave what is linear and logarithmic out, nearly.
double rate(const netsor::Activation& phi, double side) {
  for (double h = 16; h >= 0.5; h /= 2) {
    const double one = log_size(phi, side * h), two = log_size(phi, side * 2 * h),
                 three = log_size(phi, side * 3 * h);
    if (!std::isfinite(three)) continue;
    const double result = (three - 2 * two + one) / (2 * h * h);
    return std::isfinite(result) ? std::max(0., result) : 0;
  }
  return Growth::exponential;
}

double pole(const netsor::Activation& phi) {
  double result = 0;
  std::vector<double> points = phi.breakpoints(-10, 10).points;
  points.push_back(0);
  for (const double point : points) {
    for (const double side : {-1., 1.}) {
      const double near = log_size(phi, point + side * 1e-9), far = log_size(phi, point + side * 1e-6);
      const double power = (near - far) / std::log(1e3);
      if (std::isfinite(power)) result = std::max(result, power);
    }
  }
  return result;
}

class Walk {
 public:
  Walk(const Structure& structure, const std::function<std::optional<double>(NodeIndex)>& variance)
      : structure_(structure), variance_(variance), degrees_(structure.program().nodes().size()) {}

  Tails run() {
    const auto& nodes = structure_.program().nodes();
    for (NodeIndex node = 0; node < nodes.size(); ++node) {
      if (netsor::form(nodes[node].operation) != netsor::Form::table) degrees_[node] = degrees(node);
    }
    return tails_;
  }

 private:
  /// Of a coordinate in the normals of its own columns; of a Gaussian column's variance in all normals.
  struct Degrees {
    double own = 0, variance = 0;
    bool gaussian = false;
  };

  Degrees degrees(NodeIndex node) {
    const netsor::Operation& operation = structure_.program().nodes()[node].operation;
    if (const auto* product = std::get_if<netsor::MatMul>(&operation)) {
      const Degrees& argument = degrees_[product->argument.index()];
      return {1, argument.own * (2 + argument.variance), true};
    }
    if (const auto* map = std::get_if<netsor::Map>(&operation)) return mapped(node, *map);
    if (netsor::form(operation) == netsor::Form::groupwise) return {};  // bounded
    Degrees result{structure_.gaussian(node) ? 1. : 0., 0, structure_.gaussian(node)};
    const bool product = std::holds_alternative<netsor::Mul>(operation);
    for (const auto& [operand, columns] : netsor::bundle_operands(operation)) {
      const Degrees& argument = degrees_[operand.index()];
      result.own = product ? result.own + argument.own : std::max(result.own, argument.own);
      result.variance = std::max(result.variance, argument.variance);
    }
    if (netsor::form(operation) == netsor::Form::linear && !structure_.tables(node).empty())
      result.variance = 0;
    return result;
  }

  Degrees mapped(NodeIndex node, const netsor::Map& map) {
    const Degrees& argument = degrees_[map.argument.index()];
    const Growth phi = growth(map.activation);
    if (argument.gaussian) check(node, map, phi, argument);
    const double own = phi.degree == 0 || argument.own == 0 ? 0 : phi.degree * argument.own;
    return {own, argument.variance, false};
  }

  void check(NodeIndex node, const netsor::Map& map, const Growth& phi, const Degrees& argument) {
    const std::string name = map.activation.name() + " (" + structure_.program().name(node) + ")";
    const auto variance = variance_(map.argument.index());
    const bool fast = variance && 8 * phi.rate * *variance >= 1;
    if (tails_.infinite.empty() && (fast || phi.pole >= 0.25)) {
      tails_.infinite = "the fourth moment of " + name +
                        " is infinite, and so is C: the squared error of networks "
                        "falls more slowly than 1/n; take a function that grows more slowly, or " +
                        (fast ? "a smaller variance" : "has no pole");
    }
    if (tails_.heavy.empty() && phi.degree == Growth::exponential && argument.variance > tamest) {
      tails_.heavy =
          name +
          " grows exponentially, in a column whose variance over networks has tails that are heavier "
          "than exponential: no kernel of a finite network has a second moment; the law holds in "
          "distribution, for medians and quantiles";
    }
  }

  const Structure& structure_;
  const std::function<std::optional<double>(NodeIndex)>& variance_;
  std::vector<Degrees> degrees_;
  Tails tails_;
};

}  // namespace

Growth growth(const netsor::Activation& phi) {
  Growth result;
  for (const double side : {-1., 1.}) {
    const double found = degree(phi, side);
    result.degree = std::max(result.degree, found);
    if (found == Growth::exponential) result.rate = std::max(result.rate, rate(phi, side));
  }
  result.pole = pole(phi);
  return result;
}

Tails tails(const Structure& structure, const std::function<std::optional<double>(NodeIndex)>& variance) {
  return Walk(structure, variance).run();
}

}  // namespace nngpcheck::analytic
