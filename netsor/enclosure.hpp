// Private to netsor/: what an expression's nodes take on an interval without kinks and jumps.
#pragma once

#include <span>

#include "nngpcheck/netsor/expression.hpp"
#include "nngpcheck/netsor/interval.hpp"

namespace nngpcheck::netsor {

/// Encloses a node's values on an interval, and those of its derivative.
struct Jet {
  Interval value;
  Interval slope;
};

/// Whether the operator's value is constant between its jumps.
bool is_piecewise_constant(Operator op);

/// The jet of a node that is no variable, from those of its arguments, on an interval in which no node that
/// it depends on has a kink or jump. `middles` are the nodes' values at any one point of the interval: they
/// tell which branch of abs, min, floor, … holds on all of it. `middle` is the node's own.
Jet enclose(const Expression::Node& node, std::span<const Jet> jets, std::span<const double> middles,
            double middle);

}  // namespace nngpcheck::netsor
