// What one network of a schedule costs.
#pragma once

#include "nngpcheck/empirical/interpreter/schedule.hpp"

namespace nngpcheck::empirical {

/// In multiply-adds of simd().combine, as in costs.hpp: arguments are taken for distinct, and functions for
/// equally expensive.
double network_cost(const netsor::Program& program, const Schedule& schedule);

/// Seconds that this machine takes for one of them, on one thread: measured once, in some hundredths of a
/// second.
double seconds_per_multiply_add();

}  // namespace nngpcheck::empirical
